#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure phases: bench.py PHASE...    (see README for the environment)

BENCH_TOOLS and BENCH_CORPORA (words separated by commas) replace the plan's.
"""
import os
import subprocess
import sys
import time

import far_keep
import far_phases
import far_points
import machine
import phases
from common import (LONG, MOUNTS, ROOT, RUNS, SMALL, SNAPSHOTS, WORK, complain,
                    put)
from corpus import Corpus
from tool import Tool

READERS = ["native", "yore", "squashfuse", "restic", "borg"]
EVERYONE = READERS + ["casync"]
PEERS = ["litestream", "litestream_vfs"]
FAR = ["yore", "squashfuse_rclone", "restic", "borg"]
# Who is measured with what: each tool where a goal or a ratio needs it.
PLAN = {
    "writer": {"C1": EVERYONE, "C2": READERS, "C3": EVERYONE[1:],
               "C4": EVERYONE[1:4], "C4flat": EVERYONE[1:4]},
    "meta": {"C1": READERS, "C2": READERS},
    "data": {"C1": READERS, "C2": READERS},
    "grep": {"C1": READERS},
    "big": {"C3": READERS},
    "db": {"C3": READERS},
    "restore": {"C2": ["native", "yore", "restic", "borg"]},
    "many": {"C4": READERS[:4], "C4flat": READERS[:4]},
    "snapshots": {f"S{n}": ["yore"] for n in SNAPSHOTS},
    "far_tree": {"C1": FAR + ["rclone"], "C2": ["yore"]},
    "far_db": {"C3": FAR},
    "far_writer": {"C2": ["yore", "restic", "borg"]},
    "far_keep": {"C5": ["yore", "litestream"]},
    "far_points": {"C5": ["yore", "litestream_vfs"]},
    "far_copy": {"C5": ["yore", "litestream"]},
}


def listed(name):
    return [x for x in os.environ.get(name, "").split(",") if x]


def corpora_of(phase):
    wanted = listed("BENCH_CORPORA")
    return [c for c in PLAN[phase] if not wanted or c in wanted]


def tools_of(phase, corpus_name):
    planned = PLAN[phase][corpus_name]
    if phase.startswith("far"):
        wanted = listed("BENCH_TOOLS")
        planned = [t for t in planned if not wanted or t in wanted]
    elif phase != "snapshots":
        planned = listed("BENCH_TOOLS") or (EVERYONE if SMALL else planned)
    return [Tool(t) for t in planned]


def can(phase, tool, corpus):
    """Whether there is something to measure."""
    if phase in ("writer", "snapshots", "far_writer", "far_keep"):
        return True
    if tool.kind == "reference" or "rclone" in tool.name or (
            tool.name == "litestream_vfs"):
        return True
    if os.path.isdir(tool.repo(corpus.name)):
        return True
    complain(f"{phase} {corpus.name}: no repository of {tool.name};"
             " the phase writer makes it")
    return False


def once(phase, tool, corpus, run):
    """One run of a phase.  Whether it is the tool's last."""
    body = next(getattr(m, phase)
                for m in (far_keep, far_points, far_phases, phases)
                if hasattr(m, phase))
    began = time.monotonic()
    body(tool, corpus, run)
    last = run == RUNS - 1 or time.monotonic() - began > LONG
    if phase == "writer" and last:
        phases.writer_rest(tool, corpus, run)
    return last


def measure(phase, tool, corpus, run):
    """Whether the run went well, and whether it was the last."""
    print(f"## {time.strftime('%T')} {phase} {tool.name} {corpus.name}"
          f" {run + 1}", flush=True)
    try:
        return True, once(phase, tool, corpus, run)
    except (RuntimeError, OSError, subprocess.SubprocessError) as e:
        complain(f"{phase} {tool.name} {corpus.name} FAILED: {e}")
        put(phase, tool.name, corpus.name, "failed", 0, 0, "", why=str(e))
        return False, True


def in_turn(phase, tools, corpus):
    """All tools once, then again: a bad minute of the machine is not one
    tool's alone.  Whether all went well."""
    good = True
    for run in range(RUNS):
        for tool in list(tools):
            went_well, last = measure(phase, tool, corpus, run)
            good &= went_well
            if last:
                tools.remove(tool)
    return good


def prepare(phase, name):
    if phase == "snapshots":
        return phases.SmallTree(int(name[1:]))
    corpus = Corpus(name)
    if phase != "writer":
        corpus.go_to_last()
    return corpus


def run_phase(phase):
    good = True
    for name in corpora_of(phase):
        if phase != "snapshots" and not os.path.isdir(Corpus.made_at(name)):
            complain(f"{phase}: there is no corpus {Corpus.made_at(name)}")
            good = False
            continue
        corpus = prepare(phase, name)
        good &= in_turn(phase, [t for t in tools_of(phase, name)
                                if can(phase, t, corpus)], corpus)
    return good


def main():
    unknown = [p for p in sys.argv[1:] if p not in PLAN]
    if unknown or not sys.argv[1:]:
        sys.exit(f"{__doc__}phases: {' '.join(PLAN)}")
    for path in (ROOT, WORK, MOUNTS):
        os.makedirs(path, exist_ok=True)
    machine.put_facts([Tool(t) for t in EVERYONE + PEERS])
    good = [run_phase(phase) for phase in sys.argv[1:]]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
