#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""forget.py fill|measure C1|C3: forgetting and pruning beside restic.

fill C1     96 states: the way from each of C1's states to the next in five
            portions of the files that differ, backed up by both programs
fill C3     its five states, from the repositories that `run.sh writer` left
measure     keep the newest tenth (C3: the newest), prune, measure what is left;
            both work on copies, so it can be repeated

BENCH_ROOT is that of run.sh; YORE_BIN has yore.  Works in BENCH_ROOT/forget.
restic as its manual has it (forget --prune: at most 5 % stay unused); yore in
three commands, since its prune deletes what an earlier one condemned.
"""
import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.environ.get("BENCH_ROOT", "/var/tmp/yore-bench")
HERE = f"{ROOT}/forget"
TREE = f"{HERE}/tree"
PORTIONS = 5
ENV = dict(
    os.environ, HOME=HERE, XDG_STATE_HOME=f"{HERE}/state",
    RESTIC_PASSWORD="bench", RESTIC_CACHE_DIR=f"{HERE}/cache", TZ="UTC",
    YORE_CACHE_DIR="",
    PATH=os.environ.get("YORE_BIN", "") + ":" + os.environ["PATH"],
)


def run(*args, cwd=None):
    subprocess.run(args, check=True, env=ENV, cwd=cwd,
                   stdout=subprocess.DEVNULL)


# -- States of C1 -------------------------------------------------------------


def listing(top):
    found = {}
    for where, _, names in os.walk(top):
        for name in names:
            path = f"{where}/{name}"
            st = os.lstat(path)
            found[path[len(top):]] = (st.st_mode, st.st_size, st.st_mtime_ns)
    return found


def put(source, path):
    target = TREE + path
    if os.path.lexists(target):
        os.unlink(target)
    if os.path.lexists(source + path):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(source + path, target, follow_symlinks=False)


def states(snaps):
    """The tree becomes one state after the other."""
    shutil.rmtree(TREE, ignore_errors=True)
    shutil.copytree(snaps[0], TREE, symlinks=True)
    yield
    for snap in snaps[1:]:
        now, then = listing(TREE), listing(snap)
        differ = [p for p in {**now, **then} if now.get(p) != then.get(p)]
        differ.sort(key=lambda p: hashlib.sha1(os.fsencode(p)).digest())
        for i in range(PORTIONS):
            for path in differ[i::PORTIONS]:
                put(snap, path)
            yield


def fill_c1():
    snaps = f"{ROOT}/corpora/C1/snaps"
    run("yore", "init", "-q", "--no-passphrase", "-r", f"{HERE}/yore-C1")
    run("restic", "-q", "-r", f"{HERE}/restic-C1", "init")
    for i, _ in enumerate(states([f"{snaps}/{s}"
                                  for s in sorted(os.listdir(snaps))])):
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


def measure(corpus):
    keep = "10" if corpus == "C1" else "1"
    copy = f"{HERE}/copy"
    prune = ["yore", "prune", "-q", "-r", copy, "--grace", "0s",
             "--unsafe-grace"]
    commands = {
        "yore": [["yore", "forget", "-q", "-r", copy, "--keep-last", keep],
                 prune, prune],
        "restic": [["restic", "-q", "-r", copy, "forget", "--group-by", "host",
                    "--keep-last", keep], ["restic", "-q", "-r", copy,
                                           "prune"]],
    }
    for tool in "restic", "yore":
        shutil.rmtree(copy, ignore_errors=True)
        run("cp", "-al", f"{HERE}/{tool}-{corpus}", copy)
        before, seconds = used(copy), []
        for command in commands[tool]:
            began = time.monotonic()
            run(*command)
            seconds.append(time.monotonic() - began)
        print(f"{corpus} {tool}: {sum(seconds):.2f} s ("
              + " + ".join(f"{s:.2f}" for s in seconds)
              + f"), {before:.1f} MB -> {used(copy):.1f} MB", flush=True)
    shutil.rmtree(copy)


if __name__ == "__main__":
    os.makedirs(HERE, exist_ok=True)
    {"fill": {"C1": fill_c1, "C3": fill_c3}[sys.argv[2]],
     "measure": lambda: measure(sys.argv[2])}[sys.argv[1]]()
