# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured.  A phase is a function of a tool, a corpus and the number
of the run; cold means that the caches of the machine and of the tool are
empty and the mount is fresh, warm the same again in the same mount."""
import json
import os
import random
import shutil
import subprocess

from common import (FIO_SECONDS, HOMES, REPOS, ROOT, WORK, complain,
                    drop_caches, put, timed, wait_for_calm)
from corpus import BASE_TIME, disk_usage
from tool import Mount

# casync needs half a minute for a state of C3: unchanged and middle states are
# left out, so that its repository holds fewer states than the others'.
SPARSE = {("casync", "C3")}


# ------------------------------------------------------------------ writer

def backup(tool, corpus, label, name, run, cold=True):
    more = {}
    if cold:
        drop_caches()
        more["busy"] = wait_for_calm()
    usage = tool.run("tool_backup", REPO=tool.repo(corpus.name), NAME=name,
                     SRC=corpus.source, TOOLHOME=writer_home(tool, corpus))
    if usage.status:
        more["status"] = usage.status
        complain(f"{tool.name} {corpus.name}: {label} failed")
    say = ("writer", tool.name, corpus.name)
    put(*say, label, run, usage.wall, "s", **more)
    put(*say, f"{label} cpu", run, usage.cpu, "s")
    put(*say, f"{label} peak memory", run, usage.peak, "MiB")


def writer_home(tool, corpus):
    return f"{HOMES}/{tool.name}-writer-{corpus.name}"


def put_repository(tool, corpus, label, run, states):
    objects, size = disk_usage(tool.repo(corpus.name))
    say = ("writer", tool.name, corpus.name)
    put(*say, f"repository {label}", run, size, "B", states=states)
    put(*say, f"objects {label}", run, objects, "objects", states=states)


def list_source(tool, corpus, run):
    """The least that finding out what changed can cost."""
    for state in ("cold", "warm"):
        if state == "cold":
            drop_caches()
            wait_for_calm()
        seconds, _ = timed(["find", corpus.source, "-ls"])
        put("writer", tool.name, corpus.name, f"find -ls {state}", run,
            seconds, "s")


def writer(tool, corpus, run):
    corpus.step(1)
    if tool.kind == "reference":
        list_source(tool, corpus, run)
        return
    repo = tool.repo(corpus.name)
    shutil.rmtree(repo, ignore_errors=True)
    os.makedirs(REPOS, exist_ok=True)
    home = tool.home(f"writer-{corpus.name}", empty=True)
    if tool.run("tool_init", REPO=repo, TOOLHOME=home).status:
        raise RuntimeError("cannot make a repository")
    backup(tool, corpus, "first backup", "s01", run)
    put_repository(tool, corpus, "after the first", run, 1)
    if corpus.states == 1 or tool.kind == "image":
        return
    if (tool.name, corpus.name) not in SPARSE:
        backup(tool, corpus, "unchanged backup", "s01b", run)
    corpus.step(2)
    backup(tool, corpus, "changed backup", "s02", run)


def writer_rest(tool, corpus, run):
    """The states from the third on, once: their sum is what counts."""
    if tool.kind == "reference" or corpus.states == 1:
        return
    stored = 1 if tool.kind == "image" else 2
    sparse = tool.kind == "image" or (tool.name, corpus.name) in SPARSE
    for i in range(stored + 1, corpus.states + 1):
        corpus.step(i)
        if not sparse or i == corpus.states:
            backup(tool, corpus, "later backup", f"s{i:02d}", i, cold=False)
            stored += 1
    put_repository(tool, corpus, "after all", run, stored)


# ----------------------------------------------------------------- readers

def some_name(names, run, share):
    return names[(run * 7919 + int(len(names) * share)) % len(names)]


def list_all(root):
    return f"ls -lR {root}/ >/dev/null"


def find_all(root, entries):
    return f"test $(find {root}/ | wc -l) -ge {entries * 99 // 100}"


def first_bytes(m, names, run):
    m.first_byte("first byte of a small file cold", some_name(names, run, .37))
    m.first_byte("first byte of a second file", some_name(names, run, .73))


def meta(tool, corpus, run):
    facts = corpus.facts()
    m = Mount("meta", tool, corpus, run)
    try:
        first_bytes(m, facts["names"], run)
        m.op("ls -lR cold", list_all(m.root))
        m.op("ls -lR warm", list_all(m.root))
        m.op("find warm", find_all(m.root, facts["entries"]))
    finally:
        m.close("after ls -lR")
    m = Mount("meta", tool, corpus, run, record=False)
    try:
        m.op("find cold", find_all(m.root, facts["entries"]))
    finally:
        m.close("after find")


def read_twice(phase, tool, corpus, run, name, line, megabytes):
    m = Mount(phase, tool, corpus, run, record=False)
    try:
        for state in ("cold", "warm"):
            m.op(f"{name} {state}", line(m), megabytes)
    finally:
        m.close(f"after {name}")


def data(tool, corpus, run):
    size = corpus.facts()["bytes"]
    read_twice("data", tool, corpus, run, "tar",
               lambda m: f"test $(tar cf - -C {m.root} . | wc -c) -ge {size}",
               size / 1e6)


def grep(tool, corpus, run):
    read_twice("grep", tool, corpus, run, "grep by 2",
               lambda m: f"find {m.root}/ -type f -print0 | LC_ALL=C "
               "xargs -0 -P2 -n200 grep -c xyzzyQ >/dev/null; true",
               corpus.facts()["bytes"] / 1e6)


def big(tool, corpus, run):
    size = os.path.getsize(f"{corpus.made}/big.bin")
    read_twice("big", tool, corpus, run, "sequential read",
               lambda m: ["dd", f"if={m.root}/big.bin", "of=/dev/null",
                          "bs=1M"], size / 1e6)


def random_reads(m, measure, jobs):
    argv = ["fio", "--name=r", f"--filename={m.root}/base.db",
            "--rw=randread", "--bs=4k", "--ioengine=psync", "--direct=0",
            "--invalidate=0", "--time_based", f"--runtime={FIO_SECONDS}",
            f"--numjobs={jobs}", "--group_reporting", "--thread",
            "--readonly", "--randrepeat=0", "--norandommap",
            "--fadvise_hint=random", "--output-format=json"]
    cpu = m.cpu()
    try:
        said = subprocess.run(argv, capture_output=True, text=True,
                              timeout=FIO_SECONDS * 6 + 60, check=True).stdout
        read = json.loads(said[said.index("{"):])["jobs"][0]["read"]
    except (subprocess.SubprocessError, ValueError) as e:
        m.put(measure, 0, "IOPS", status=str(e)[:80])
        return
    share = read["clat_ns"].get("percentile", {})
    m.put(measure, read["iops"], "IOPS",
          p50_us=share.get("50.000000", 0) / 1e3,
          p99_us=share.get("99.000000", 0) / 1e3,
          daemon_cpu=round(m.cpu() - cpu, 2))


def queries(m, info, run, scans=True):
    r = random.Random(run + 100)
    ids = [r.randint(1, info["events"]) for _ in range(101)]
    uri = f"file:{m.root}/base.db?immutable=1"
    points = ("select sum(length(payload)) from events where id in "
              f"({','.join(map(str, ids[1:]))})")
    scan = "select count(*), sum(length(payload)) from events"
    m.op("SQLite one query cold", [
        "sqlite3", uri, f"select length(payload) from events where id={ids[0]}"])
    m.op("SQLite 100 queries cold", ["sqlite3", uri, points])
    m.op("SQLite 100 queries warm", ["sqlite3", uri, points])
    if not scans:
        return
    m.op("SQLite full scan cold", ["sqlite3", uri, scan], info["bytes"] / 1e6)
    m.op("SQLite full scan warm", ["sqlite3", uri, scan], info["bytes"] / 1e6)


def db(tool, corpus, run):
    m = Mount("db", tool, corpus, run)
    try:
        queries(m, corpus.database(), run)
    finally:
        m.close("after SQLite")
    m = Mount("db", tool, corpus, run, record=False)
    try:
        random_reads(m, "random reads cold, 1 job", 1)
        random_reads(m, "random reads then, 4 jobs", 4)
        m.op("read of the database", ["cat", f"{m.root}/base.db"])
        random_reads(m, "random reads warm, 1 job", 1)
        random_reads(m, "random reads warm, 4 jobs", 4)
    finally:
        m.close("after random reads")


def rsync(m, measure, target, megabytes):
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    m.op(measure, ["rsync", "-a", f"{m.root}/", f"{target}/"], megabytes)
    shutil.rmtree(target)


def restore(tool, corpus, run):
    target = f"{ROOT}/restored"
    megabytes = corpus.facts()["bytes"] / 1e6
    m = Mount("restore", tool, corpus, run, record=False)
    try:
        rsync(m, "rsync -a from the mount", target, megabytes)
        if tool.kind == "reference":  # how fast rsync could be
            rsync(m, "rsync -a again, source cached", target, megabytes)
    finally:
        m.close("after rsync")
    if not tool.has("tool_restore"):
        return
    home = tool.home(f"mount-{corpus.name}", empty=True)
    drop_caches()
    wait_for_calm()
    usage = tool.run("tool_restore", REPO=tool.repo(corpus.name), DST=target,
                     NAME=corpus.newest, TOOLHOME=home)
    more = {"status": usage.status} if usage.status else {}
    say = ("restore", tool.name, corpus.name)
    put(*say, "own restore", run, usage.wall, "s", **more)
    put(*say, "own restore cpu", run, usage.cpu, "s")
    put(*say, "own restore peak memory", run, usage.peak, "MiB")
    shutil.rmtree(target, ignore_errors=True)


def many(tool, corpus, run):
    """Half a million files in 5,000 directories, or 200,000 in one."""
    facts = corpus.facts()
    m = Mount("many", tool, corpus, run)
    try:
        if corpus.name == "C4":
            one = sorted(os.listdir(corpus.source))
            one = one[len(one) * 57 // 100]
            first_bytes(m, facts["names"], run)
            m.op("find cold", find_all(m.root, facts["entries"]))
            m.op("find warm", find_all(m.root, facts["entries"]))
            m.op("ls -lR of a 100th after find", list_all(f"{m.root}/{one}"))
        else:
            m.op("ls -lR cold", list_all(m.root))
            m.op("ls -lR warm", list_all(m.root))
            m.op("ls -fR warm", f"ls -fR {m.root}/ >/dev/null")
    finally:
        m.close("after listing")


# --------------------------------------------------------- many snapshots

class SmallTree:
    """100 files, of which one changes from snapshot to snapshot."""

    def __init__(self, n):
        self.n, self.name, self.newest = n, f"S{n}", "small"
        self.source = f"{WORK}/{self.name}"

    def change(self, i):
        path = f"{self.source}/{i // 10 % 10}/{i % 10}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(f"snapshot {i}\n" * 20)

    def fill(self, tool):
        repo = tool.repo(self.name)
        for path in (repo, self.source):
            shutil.rmtree(path, ignore_errors=True)
        os.makedirs(REPOS, exist_ok=True)
        for i in range(100):
            self.change(i)
        home = tool.home(f"writer-{self.name}", empty=True)
        tool.run("tool_init", REPO=repo, TOOLHOME=home)
        for i in range(self.n):
            self.change(i)
            usage = tool.run("tool_backup", REPO=repo, NAME=self.newest,
                             SRC=self.source, TOOLHOME=home,
                             WHEN=f"@{BASE_TIME + i * 3600}")
            if usage.status:
                raise RuntimeError(f"snapshot {i}: status {usage.status}")
        with open(f"{repo}.filled", "w"):
            pass

    def is_filled(self, tool):
        """Since the program was built."""
        try:
            made = os.stat(f"{tool.repo(self.name)}.filled").st_mtime
            return made > os.stat(shutil.which(tool.name)).st_mtime
        except (OSError, TypeError):
            return False


def snapshots(tool, tree, run):
    if not tree.is_filled(tool):
        tree.fill(tool)
    m = Mount("snapshots", tool, tree, run, below="latest/bench/tree")
    try:
        all_of = f"{m.path}/sources/bench/tree/snapshots"
        m.op("ls -l of the snapshots",
             f"test $(ls -l {all_of} | grep -c ^d) = {tree.n}")
        m.op("ls -lR of the newest", list_all(m.root))
    finally:
        m.close("after listing")
