#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What `yore replicate` costs the application that writes.

    impact.py DIR [--rate N] [--synchronous NORMAL|FULL] [--pairs N]
              [--seconds S] [--checkpoints MS] [--readers MS] [--rows N]

One application commits to one database in DIR, in slices of some seconds, now
with a replicator and now without: what the machine does besides hits both
alike.  Each slice's times are kept; the difference of the percentiles is that
of all slices together, its range the middle 90 % of 1,000 draws of slices.
--checkpoints: another process checkpoints so often, in every mode in turn;
--readers: another one holds transactions that read, for so long each.

The repository and the replicator's state lie in DIR too, as on a machine with
one disk.  The programs are those of the build: YORE_BIN, and below that
tests/bench/commits."""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BIN = os.path.realpath(os.environ.get("YORE_BIN", "."))
YORE, COMMITS = f"{BIN}/yore", f"{BIN}/tests/bench/commits"
PERCENTILES = (50, 99, 99.9, 100)


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("dir")
    p.add_argument("--rate", type=float, default=500)
    p.add_argument("--synchronous", default="NORMAL")
    p.add_argument("--pairs", type=int, default=5)
    p.add_argument("--seconds", type=float, default=3)
    p.add_argument("--checkpoints", type=float, default=0)
    p.add_argument("--readers", type=float, default=0)
    p.add_argument("--rows", type=int, default=100000)
    return p.parse_args()


class Replicator:
    """From when everything is stored until it has ended."""

    def __init__(self, work):
        self.work, self.cpu, self.locked = work, 0, 0

    def __enter__(self):
        self.process = subprocess.Popen(
            [YORE, "replicate", "-q", "--state-dir", f"{self.work}/state",
             f"{self.work}/app.db"], stderr=subprocess.DEVNULL)
        for _ in range(300):
            done = subprocess.run(
                [YORE, "sync", "--wait", "--state-dir", f"{self.work}/state"],
                stderr=subprocess.DEVNULL, check=False)
            if not done.returncode:
                break
            time.sleep(0.1)
        else:
            sys.exit("the replicator does not get there")
        self.before = self.ticks()
        return self

    def ticks(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            columns = f.read().rsplit(")", 1)[1].split()
        return int(columns[11]) + int(columns[12])

    def look(self):
        self.cpu = (self.ticks() - self.before) / os.sysconf("SC_CLK_TCK")
        said = subprocess.run(
            [YORE, "status", "--json", "--state-dir", f"{self.work}/state"],
            stdout=subprocess.PIPE, check=False).stdout
        self.locked = json.loads(said)["locked_microseconds_max"] / 1000

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(60):
            sys.exit(f"the replicator ended with {self.process.returncode}")


def slice_of(o, work):
    """Milliseconds of every commit; counts; lines about checkpoints."""
    db, times = f"{work}/app.db", f"{work}/times"
    beside = []
    for what, value in (("checkpoint", o.checkpoints), ("read", o.readers)):
        if value:
            beside.append(subprocess.Popen(
                [COMMITS, what, db, str(o.seconds), str(value)],
                stdout=subprocess.PIPE, text=True))
    said = subprocess.run(
        [COMMITS, "write", db, str(o.seconds), str(o.rate), o.synchronous,
         times], stdout=subprocess.PIPE, check=True, text=True).stdout
    lines = [b.communicate()[0] for b in beside]
    if any(b.returncode for b in beside):
        sys.exit("what ran beside failed")
    with open(times) as f:
        return ([float(x) / 1000 for x in f],
                [int(x) for x in said.split()], "".join(lines).splitlines())


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p / 100))]


def together(slices):
    return [x for times, _, _ in slices for x in times]


def difference(kept, p, n=1000):
    """Of with and without: as measured, and the middle 90 % of draws."""
    def of(draw):
        return (percentile(together(draw(kept[True])), p) -
                percentile(together(draw(kept[False])), p))
    rnd = random.Random(1)
    drawn = sorted(of(lambda s: rnd.choices(s, k=len(s))) for _ in range(n))
    return of(lambda s: s), drawn[n // 20], drawn[-n // 20]


def print_figures(o, kept, cpu, locked):
    print(f"{'':10}{'commits':>9}{'p50':>9}{'p99':>9}{'p99.9':>9}"
          f"{'longest':>9} ms {'waits':>7}{'refused':>8}")
    for on in (False, True):
        times = together(kept[on])
        counts = [sum(c) for c in zip(*(c for _, c, _ in kept[on]))]
        print(f"{'with' if on else 'without':10}{counts[0]:9}" + "".join(
            f"{percentile(times, p):9.3f}" for p in PERCENTILES) +
            f"    {counts[1]:7}{counts[2]:8}")
    for p in PERCENTILES[:3]:
        print("p{:<5g} {:+.3f} ms ({:+.3f} to {:+.3f})".format(
            p, *difference(kept, p)))
    print(f"the replicator: {cpu / (o.pairs * o.seconds) * 100:.1f} % of a "
          f"core, the writer's lock for {locked:.1f} ms at most")


def print_checkpoints(kept):
    for on in (False, True):
        modes = {}
        for _, _, lines in kept[on]:
            for mode, *counts in map(str.split, lines):
                old = modes.get(mode, [0, 0, 0, 0])
                new = [int(c) for c in counts]
                modes[mode] = [a + b for a, b in zip(old[:3], new[:3])] + [
                    max(old[3], new[3])]
        for mode, (whole, part, busy, longest) in modes.items():
            print(f"{'with' if on else 'without':10}{mode:10}{whole:5} whole"
                  f"{part:5} in part{busy:5} busy{longest / 1000:9.1f} ms")


def main():
    o = arguments()
    work = tempfile.mkdtemp(prefix="impact.", dir=o.dir)
    os.environ.update(YORE_REPOSITORY=f"{work}/repo",
                      YORE_CACHE_DIR=f"{work}/cache")
    kept, cpu, locked = {True: [], False: []}, 0, 0
    try:
        subprocess.run([YORE, "init", "-q", "--no-passphrase"], check=True)
        subprocess.run([COMMITS, "make", f"{work}/app.db", str(o.rows)],
                       check=True)
        for i in range(o.pairs * 2):
            if i % 4 in (0, 3):  # AB BA AB ...
                kept[False].append(slice_of(o, work))
                continue
            with Replicator(work) as r:
                kept[True].append(slice_of(o, work))
                r.look()
            cpu, locked = cpu + r.cpu, max(locked, r.locked)
        print_figures(o, kept, cpu, locked)
        print_checkpoints(kept)
    finally:
        shutil.rmtree(work)


main()
