# SPDX-License-Identifier: GPL-2.0-or-later
"""Where things lie, what the environment asks for, where figures go."""
import json
import mmap
import os
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SMALL = os.environ.get("BENCH_SCALE") == "small"
ROOT = os.environ["BENCH_ROOT"]
CORPORA, WORK, REPOS, MOUNTS, HOMES = (
    f"{ROOT}/{d}" for d in ("corpora", "work", "repos", "mnt", "home"))
OUT = os.environ.get("BENCH_OUT", f"{ROOT}/results.jsonl")
ERRORS = f"{ROOT}/stderr.log"
RUNS = int(os.environ.get("RUNS", 3))
LIMIT = float(os.environ.get("BENCH_LIMIT", 240))  # seconds an operation has
# What is warm is tried so often until nothing had to be read again.
WARM_TRIES = 8
LONG = float(os.environ.get("BENCH_LONG", 75))  # longer is done only once
FIO_SECONDS = int(os.environ.get("FIO_SECONDS", 1 if SMALL else 5))
SNAPSHOTS = [2, int(os.environ.get("BENCH_SNAPSHOTS", 40 if SMALL else 2000))]
# Without BENCH_COLD=yes nothing is cold: for trying the scripts out.
COLD = os.environ.get("BENCH_COLD", "no" if SMALL else "yes") == "yes"
SESSION = os.environ.get("BENCH_SESSION") or time.strftime("%F %T")


def put(phase, tool, corpus, measure, run, value, unit, **more):
    """One figure: a line of JSON in OUT, and a line on the terminal."""
    line = dict(session=SESSION, phase=phase, tool=tool, corpus=corpus,
                measure=measure, run=run, value=round(value, 6), unit=unit,
                **more)
    with open(OUT, "a") as f:
        f.write(json.dumps(line) + "\n")
    said = " ".join(f"{k}={v}" for k, v in more.items())
    print(f"{tool:10} {corpus:6} {measure:36} {value:14.4f} {unit:9} {said}",
          flush=True)


def complain(text):
    print("#", text, file=sys.stderr, flush=True)


def drop_caches():
    if COLD:
        os.sync()
        with open("/proc/sys/vm/drop_caches", "w") as f:
            f.write("3\n")


def processor_times():
    with open("/proc/stat") as f:
        times = [int(x) for x in f.readline().split()[1:]]
    return sum(times) - times[3] - times[4], sum(times)


def refaults():
    """Pages of files that the kernel had taken out of the page cache and has
    read again, by whom ever, since the machine began."""
    with open("/proc/vmstat") as f:
        for line in f:
            name, value = line.split()
            if name == "workingset_refault_file":
                return int(value)
    return 0


MADV_POPULATE_WRITE = 23
CLAIMED = 3 << 30


def claim_memory():
    """A virtual machine's host takes back memory that is free; getting it
    again costs a multiple of what is measured, and chance says whose turn
    that is.  So have it before anything is measured."""
    try:
        with mmap.mmap(-1, CLAIMED) as m:
            m.madvise(MADV_POPULATE_WRITE)
    except (OSError, ValueError):
        pass


def wait_for_calm(patience=2.5):
    """Others may use this machine: wait a little until they do not.  Gives
    the share of the processors that was in use at last."""
    share = wait(patience)
    if COLD:
        claim_memory()
    return share


def wait(patience):
    end = time.monotonic() + patience
    while True:
        before = processor_times()
        time.sleep(0.25)
        now = processor_times()
        share = (now[0] - before[0]) / max(1, now[1] - before[1])
        if share < 0.15 or time.monotonic() > end or not COLD:
            return round(share, 2)


class Watchdog:
    """Kill a process group unless the block ends within some seconds."""

    def __init__(self, process, seconds=LIMIT):
        self.process, self.bit = process, False
        self.timer = threading.Timer(seconds, self.bite)

    def bite(self):
        self.bit = True
        os.killpg(self.process.pid, signal.SIGKILL)

    def __enter__(self):
        self.timer.start()
        return self

    def __exit__(self, *_):
        self.timer.cancel()


def start(argv, stdout=subprocess.DEVNULL, env=None,
          stdin=subprocess.DEVNULL):
    with open(ERRORS, "a") as errors:
        return subprocess.Popen(argv, stdin=stdin, stdout=stdout,
                                stderr=errors, env=env,
                                start_new_session=True)


def timed(argv):
    """Run a command, or a line for bash.  Seconds, and "timeout", an exit
    status or 0."""
    if isinstance(argv, str):
        argv = ["bash", "-c", argv]
    before = time.perf_counter()
    process = start(argv)
    with Watchdog(process) as dog:
        status = process.wait()
    seconds = time.perf_counter() - before
    return seconds, "timeout" if dog.bit else status
