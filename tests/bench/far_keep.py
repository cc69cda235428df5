# SPDX-License-Identifier: GPL-2.0-or-later
"""Replicating the database of C5 to a store behind the line of far.py: its base,
an hour of a commit a second, and a time in which nothing happens.

The hour goes by 20 times faster than it would (SPEED), and so do the intervals
of the programs: what is uploaded is the same.  What is idle is not: a minute
of it (FAR_IDLE seconds) is counted and multiplied.  The replica, the database
at its end and the times of six moments are kept for far_points.py."""
import json
import os
import shutil
import subprocess
import time

from common import HERE, LIMIT, REPOS, SMALL, WORK, put, start
from far import FarTool, Line
from tool import Family

DELAY = 20  # ms
SPEED = 20
COMMITS = 120 if SMALL else 3600
IDLE = float(os.environ.get("FAR_IDLE", 4 if SMALL else 60))
MOMENTS = f"{REPOS}/C5.moments.json"


def database():
    return f"{WORK}/C5/base.db"


def fresh_database(corpus):
    """In WAL mode; nothing else of an earlier run is left."""
    shutil.rmtree(os.path.dirname(database()), ignore_errors=True)
    os.makedirs(os.path.dirname(database()))
    shutil.copyfile(f"{corpus.made}/base.db", database())
    subprocess.run(["sqlite3", database(), "pragma journal_mode = wal"],
                   check=True, stdout=subprocess.DEVNULL)


def wait_until_sent(line, calm, least=0):
    """Until nothing was put for a while, and something was."""
    end, last, since = time.monotonic() + LIMIT, -1, time.monotonic()
    while time.monotonic() - since < calm or line.sent() <= least:
        if time.monotonic() > end:
            raise RuntimeError("it does not stop uploading")
        if line.sent() != last:
            last, since = line.sent(), time.monotonic()
        time.sleep(0.1)


class Counted:
    """What went over the line in a block."""

    def __init__(self, line, tool, label, run):
        self.line, self.label = line, label
        self.say = ("far_keep", tool.name, "C5")
        self.run, self.factor = run, 1

    def __enter__(self):
        self.before = self.line.counts()[0], self.line.sent()
        return self

    def __exit__(self, kind, *_):
        if kind:
            return
        then, sent = self.before
        kinds = {k: n - then.get(k, 0) for k, n in self.line.counts()[0].items()
                 if n > then.get(k, 0)}
        put(*self.say, f"{self.label} requests", self.run,
            sum(kinds.values()) * self.factor, "requests", kinds=kinds)
        put(*self.say, f"{self.label} sent", self.run,
            (self.line.sent() - sent) * self.factor, "B")


def use(path):
    """Run the application; the moments it tells."""
    done = subprocess.run(
        ["python3", f"{HERE}/application.py", path, str(COMMITS), str(SPEED)],
        check=True, stdout=subprocess.PIPE, text=True)
    return [float(x) for x in done.stdout.split()]


def follow(line, tool, run, process):
    """What a replicator does while things happen; gives the moments."""
    def counted(label):
        return Counted(line, tool, label, run)

    family = Family(process.pid, with_first=True)
    family.start()
    base = os.path.getsize(database())
    began = time.perf_counter()
    with counted("base"):
        wait_until_sent(line, 3, base // 5)
    put("far_keep", tool.name, "C5", "base", run,
        time.perf_counter() - began - 3, "s")
    with counted("an hour"):
        moments = use(database())
        wait_until_sent(line, 3)
    with counted("an idle hour") as c:
        time.sleep(IDLE)
        c.factor = 3600 / IDLE
    family.over.set()
    family.join()
    put("far_keep", tool.name, "C5", "peak memory", run, family.peak, "MiB")
    if process.poll() is not None:
        raise RuntimeError("the replicator has ended")
    return moments


def far_keep(tool, corpus, run):
    fresh_database(corpus)
    with Line(DELAY) as line:
        far = FarTool(tool.name, line)
        variables = {"REPO": far.repo("C5"), "DB": database(),
                     "ENDPOINT": line.far, "INTERVAL": f"{1 / SPEED}s",
                     "CHECKPOINT": f"{60 / SPEED}s",
                     "TOOLHOME": far.home("keep-C5", empty=True)}
        if far.run("tool_init", **variables).status:
            raise RuntimeError("cannot make a repository")
        argv, env = far.command("tool_replicate", **variables)
        process = start(argv, env=env)
        try:
            moments = follow(line, far, run, process)
        finally:
            process.terminate()
            process.wait(60)
        line.keep(f"{tool.name}-C5", far.local("C5"))
    if tool.name == "yore":
        with open(MOMENTS, "w") as f:
            json.dump(moments, f)
