#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""forget.py fill|measure C1|C3: forgetting and pruning beside restic.

fill C1     all states of C1 (gen.py; the goal is of C1_STATES=100), one after
            the other in one place, backed up by both programs
fill C3     its five states, from the repositories that `run.sh writer` left
measure     keep the newest tenth (C3: the newest), prune, measure what is left;
            both work on copies, RUNS times (3), in turn

BENCH_ROOT is that of run.sh; YORE_BIN has yore.  Works in BENCH_ROOT/forget.
BENCH_COLD=yes: caches are dropped before each program's turn, by root.
restic as its manual has it (forget --prune: at most 5 % stay unused); yore in
three commands, since its prune deletes what an earlier one condemned.
"""
import os
import shutil
import statistics
import subprocess
import sys
import time

ROOT = os.environ.get("BENCH_ROOT", "/var/tmp/yore-bench")
HERE = f"{ROOT}/forget"
TREE = f"{HERE}/tree"
RUNS = int(os.environ.get("RUNS", 3))
COLD = os.environ.get("BENCH_COLD") == "yes"
ENV = dict(
    os.environ, HOME=HERE, XDG_STATE_HOME=f"{HERE}/state",
    RESTIC_PASSWORD="bench", RESTIC_CACHE_DIR=f"{HERE}/cache", TZ="UTC",
    YORE_CACHE_DIR="",
    PATH=os.environ.get("YORE_BIN", "") + ":" + os.environ["PATH"],
)


def run(*args, cwd=None):
    subprocess.run(args, check=True, env=ENV, cwd=cwd,
                   stdout=subprocess.DEVNULL)


# -- Filling ------------------------------------------------------------------


def fill_c1():
    """Each state takes the place of the one before: what did not change is the
    same file, as both programs tell it."""
    snaps = f"{ROOT}/corpora/C1/snaps"
    run("yore", "init", "-q", "--no-passphrase", "-r", f"{HERE}/yore-C1")
    run("restic", "-q", "-r", f"{HERE}/restic-C1", "init")
    for i, snap in enumerate(sorted(os.listdir(snaps))):
        run("rsync", "-a", "--delete", f"{snaps}/{snap}/", TREE)
        run("yore", "backup", "-q", "-r", f"{HERE}/yore-C1", "--host", "b",
            "--source", "c1", "--time", f"@{1600000000 + i * 86400}", TREE)
        when = time.gmtime(1600000000 + i * 86400)
        run("restic", "-q", "-r", f"{HERE}/restic-C1", "backup", "--host", "b",
            "--time", time.strftime("%F %T", when), ".", cwd=TREE)
    print(f"{i + 1} states")


def fill_c3():
    for tool in "yore", "restic":
        run("cp", "-al", f"{ROOT}/repos/{tool}-C3", f"{HERE}/{tool}-C3")


# -- Measuring ----------------------------------------------------------------


def used(repo):
    out = subprocess.run(["du", "-sb", repo], capture_output=True, check=True)
    return int(out.stdout.split()[0]) / 1e6


def drop_caches():
    if COLD:
        os.sync()
        with open("/proc/sys/vm/drop_caches", "w") as f:
            f.write("3\n")


def commands(tool, corpus, repo):
    keep = "10" if corpus == "C1" else "1"
    prune = ["yore", "prune", "-q", "-r", repo, "--grace", "0s",
             "--unsafe-grace"]
    return {
        "yore": [["yore", "forget", "-q", "-r", repo, "--keep-last", keep],
                 prune, prune],
        "restic": [["restic", "-q", "-r", repo, "forget", "--group-by", "host",
                    "--keep-last", keep], ["restic", "-q", "-r", repo,
                                           "prune"]],
    }[tool]


def measure_once(tool, corpus):
    """Seconds of all commands together."""
    copy = f"{HERE}/copy"
    shutil.rmtree(copy, ignore_errors=True)
    run("cp", "-al", f"{HERE}/{tool}-{corpus}", copy)
    before, seconds = used(copy), []
    os.sync()
    drop_caches()
    for command in commands(tool, corpus, copy):
        began = time.monotonic()
        run(*command)
        seconds.append(time.monotonic() - began)
    print(f"{corpus} {tool}: {sum(seconds):.2f} s ("
          + " + ".join(f"{s:.2f}" for s in seconds)
          + f"), {before:.1f} MB -> {used(copy):.1f} MB", flush=True)
    shutil.rmtree(copy)
    return sum(seconds)


def measure(corpus):
    taken = {"restic": [], "yore": []}
    for _ in range(RUNS):
        for tool, seconds in taken.items():
            seconds.append(measure_once(tool, corpus))
    ours, theirs = (statistics.median(taken[t]) for t in ("yore", "restic"))
    print(f"{corpus}: yore {ours:.2f} s, restic {theirs:.2f} s, median of "
          f"{RUNS}: {ours / theirs:.2f}")


if __name__ == "__main__":
    os.makedirs(HERE, exist_ok=True)
    {"fill": {"C1": fill_c1, "C3": fill_c3}[sys.argv[2]],
     "measure": lambda: measure(sys.argv[2])}[sys.argv[1]]()
