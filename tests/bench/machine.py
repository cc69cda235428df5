# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run was made on: one line of JSON beside the figures."""
import json
import os
import platform
import subprocess

from common import COLD, HERE, OUT, ROOT, RUNS, SESSION, SMALL


def first_line_with(path, word):
    try:
        with open(path) as f:
            for line in f:
                if line.startswith(word):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return "unknown"


def said_by(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def system():
    return said_by("sh", "-c", '. /etc/os-release; echo "$PRETTY_NAME"')


def file_system():
    return " ".join(said_by("findmnt", "-n", "-o", "FSTYPE,OPTIONS", "-T",
                            ROOT).split())


def state_of_the_code():
    return said_by("git", "-C", HERE, "describe", "--always", "--dirty")


def put_facts(tools):
    memory = int(first_line_with("/proc/meminfo", "MemTotal").split()[0])
    facts = {
        "session": SESSION, "machine": platform.machine(),
        "processor": first_line_with("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(), "memory_gib": round(memory / 2**20, 1),
        "kernel": platform.release(), "system": system(),
        "file_system": file_system(), "commit": state_of_the_code(),
        "runs": RUNS, "cold": COLD, "scale": "small" if SMALL else "full",
        "tools": {t.name: t.say("tool_version").split("\n")[0]
                  for t in tools if t.has("tool_version")},
    }
    with open(OUT, "a") as f:
        f.write(json.dumps({"facts": facts}) + "\n")
