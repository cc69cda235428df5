# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading what far_keep.py left, from behind the line of far.py, with sqlite3: a
mounted file, or the VFS extension of Litestream 0.5.  And copying all of it."""
import json
import os
import random
import subprocess
import time

from common import HERE, REPOS, Watchdog, drop_caches, put, start, wait_for_calm
from far import FarMount, FarTool, Line, fill
from far_keep import COMMITS, DELAY, MOMENTS, database
from tool import Family

SOURCE = "sources/bench"
LTX = os.environ.get("FAR_LTX") or (
    f"{os.environ.get('YORE_BIN', '.')}/tests/foreign/make_ltx")


def moments():
    with open(MOMENTS) as f:
        return json.load(f)


def text_of(when):
    """RFC 3339, milliseconds, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + (
        f".{int(when % 1 * 1000):03d}Z")


# ------------------------------------------------------ a replica for the VFS

def make_ltx_files(target):
    """Litestream 0.5 is not to be had, only its extension: a snapshot and five
    compacted files, of the moments that the application told.  They are what
    yore has of these, so contents are the same."""
    tool, files = FarTool("yore", None), {}
    states = [f"{target}.old.db", f"{target}.new.db"]
    for i, when in enumerate(moments()[1:], 1):
        if os.path.exists(states[1]):
            os.rename(states[1], states[0])
        usage = tool.run("tool_database_restore", REPO=tool.local("C5"),
                         WHEN=text_of(when), DST=states[1],
                         TOOLHOME=tool.home("ltx", empty=True))
        if usage.status:
            raise RuntimeError("cannot restore; the phase far_keep makes it")
        name = f"{'0009' if i == 1 else '0001'}/{i:016x}-{i:016x}.ltx"
        os.makedirs(f"{target}/{name[:4]}", exist_ok=True)
        with open(f"{target}/{name}", "wb") as f:
            subprocess.run([LTX, f"{i:x}", f"{i:x}", str(int(when * 1000)),
                            "-" if i == 1 else states[0], states[1]],
                           check=True, stdout=f)
        files[name] = text_of(when)
    for state in states:
        os.remove(state)
    return files


def fill_ltx(line, target):
    note = f"{target}.json"
    if not os.path.exists(note):
        subprocess.run(["rm", "-rf", target], check=True)
        files = make_ltx_files(target)
        with open(note, "w") as f:
            json.dump(files, f)
    with open(note) as f:
        files = json.load(f)
    for name, when in files.items():
        subprocess.run(
            [*line.rclone("copyto"), "--header-upload",
             f"x-amz-meta-litestream-timestamp: {when}", f"{target}/{name}",
             f":s3:yore/litestream_vfs-C5/{name}"], check=True)


# ------------------------------------------------------------------- sqlite3

class Shell:
    """A sqlite3 that is asked one thing after the other."""

    def __init__(self, argv, env=None):
        self.process = start(argv, subprocess.PIPE, env, subprocess.PIPE)

    def ask(self, sql):
        with Watchdog(self.process):
            self.process.stdin.write(f"{sql}\n.print done\n".encode())
            self.process.stdin.flush()
            lines = []
            while (line := self.process.stdout.readline()) != b"done\n":
                if not line:
                    raise RuntimeError(f"no answer: {sql}")
                lines.append(line.decode().strip())
        return lines

    def peak(self):
        return Family(self.process.pid, with_first=True).look()

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class Reader:
    """Somebody who reads, with nothing cached at first."""

    def __init__(self, line, tool, corpus, run, fresh=True):
        self.line, self.tool, self.corpus = line, tool, corpus
        self.run, self.fresh = run, fresh
        self.mount, self.shells = None, []

    def __enter__(self):
        drop_caches()
        wait_for_calm()
        self.count()
        if self.tool.name == "yore":
            self.mount = FarMount("far_points", self.tool, self.corpus,
                                  self.run, record=False, below=SOURCE,
                                  again=not self.fresh)
            self.began = self.mount.began
        return self

    def __exit__(self, *_):
        peak = [s.peak() for s in self.shells]
        for shell in self.shells:
            shell.close()
        if self.mount:
            peak = [Family(self.mount.process.pid, with_first=True).look()]
            self.mount.close()
        put("far_points", self.tool.name, "C5", "peak memory", self.run,
            max(peak), "MiB")

    def count(self):
        self.before = self.line.counts()
        self.began = time.perf_counter()

    def file(self, when):
        if when is None:
            return f"{self.mount.root}/base.db/latest/base.db"
        return f"{self.mount.root}/base.db/at/{text_of(when)}/base.db"

    def open(self, when=None):
        """Another sqlite3."""
        if self.mount:
            shell = Shell(["sqlite3", "-batch", self.file(when)])
        else:
            argv, env = self.tool.command(
                "tool_shell", REPO=self.tool.repo("C5"),
                ENDPOINT=self.line.far,
                TOOLHOME=self.tool.home("points", empty=True))
            shell = Shell(argv, env)
            if when is not None:
                shell.ask(f"pragma litestream_time = '{text_of(when)}';")
        self.shells.append(shell)
        return shell

    def go_to(self, shell, when):
        if self.mount:
            shell.ask(f".open '{self.file(when)}'")
        else:
            shell.ask(f"pragma litestream_time = '{text_of(when)}';")

    def put(self, label):
        """What it took since the last count."""
        seconds = time.perf_counter() - self.began
        say = ("far_points", self.tool.name, "C5")
        time.sleep(0.3)
        (then, then_bytes), (now, now_bytes) = self.before, self.line.counts()
        kinds = {k: n - then.get(k, 0) for k, n in now.items()
                 if n > then.get(k, 0)}
        put(*say, label, self.run, seconds, "s")
        put(*say, f"{label} requests", self.run, sum(kinds.values()),
            "requests", kinds=kinds)
        put(*say, f"{label} received", self.run, now_bytes - then_bytes, "B")
        self.count()

    def ask(self, shell, label, sql, least, most=None):
        """One number, which is in these bounds."""
        said = shell.ask(sql)
        if len(said) != 1 or not least <= int(said[0]) <= (most or least):
            raise RuntimeError(f"{label}: {said}, not {least}")
        self.put(label)


def rows(ids):
    return ("select count(payload) from events where id in "
            f"({','.join(map(str, ids))});")


def queries(reader, r, info, times):
    """In one connection; then another process, and another moment."""
    shell = reader.open()
    ids = [r.randint(1, info["events"]) for _ in range(23)]
    shell.ask("pragma page_count;")
    reader.put("open")
    reader.ask(shell, "a row", rows(ids[:1]), 1)
    reader.ask(shell, "20 rows", rows(ids[1:21]), 20)
    other = reader.open()
    reader.ask(other, "a second process: a row", rows(ids[:1]), 1)
    reader.go_to(shell, (times[3] + times[4]) / 2)
    count = info["events"] + COMMITS  # 3 sixths, 2 a commit
    reader.ask(shell, "another moment: newest row",
               "select max(id) from events;", count - 10, count + COMMITS // 3)


def far_points(tool, corpus, run):
    info, times, r = corpus.database(), moments(), random.Random(run)
    middle = (times[3] + times[4]) / 2
    with Line(DELAY) as line:
        far = FarTool(tool.name, line)
        if tool.name == "yore":
            fill(line, far, corpus)
        else:
            fill_ltx(line, far.local("C5"))

        def reader():
            return Reader(line, far, corpus, run)

        with reader() as x:
            queries(x, r, info, times)
        with reader() as x:
            x.ask(x.open(middle), "a moment, by an index",
                  "select count(payload) from events where order_id = "
                  f"{r.randint(1, info['orders'])};", 2)
        with reader() as x:
            shell = x.open()
            for again in ("", " again"):
                x.ask(shell, f"index scan{again}",
                      "select count(*) from events;",
                      info["events"] + 2 * COMMITS - 10,
                      info["events"] + 2 * COMMITS)


# ------------------------------------------------------------------- copying

def far_copy(tool, corpus, run):
    target = f"{REPOS}/C5.copy.db"

    def copied(label, line, before, began):
        seconds = time.perf_counter() - began
        say = ("far_copy", tool.name, "C5")
        put(*say, label, run, seconds, "s")
        put(*say, f"{label} rate", run,
            os.path.getsize(target) / 1e6 / seconds, "MB/s")
        now = line.counts()
        put(*say, f"{label} requests", run,
            sum(now[0].values()) - sum(before[0].values()), "requests")
        put(*say, f"{label} received", run, now[1] - before[1], "B")
        os.remove(target)

    with Line(DELAY) as line:
        far = FarTool(tool.name, line)
        fill(line, far, corpus)
        restore = "tool_restore" if tool.name == "litestream" else (
            "tool_database_restore")
        variables = {"REPO": far.repo("C5"), "DST": target, "WHEN": "latest",
                     "ENDPOINT": line.far, "DB": database(), "INTERVAL": "1s",
                     "CHECKPOINT": "60s",
                     "TOOLHOME": far.home("copy", empty=True)}
        subprocess.run(["rm", "-f", target], check=True)
        drop_caches()
        wait_for_calm()
        before, began = line.counts(), time.perf_counter()
        if far.run(restore, **variables).status:
            raise RuntimeError("the restore failed")
        copied("own restore", line, before, began)
        if tool.name != "yore":
            return
        m = FarMount("far_copy", far, corpus, run, record=False, below=SOURCE)
        try:
            before, began = line.counts(), time.perf_counter()
            subprocess.run(["cp", f"{m.root}/base.db/latest/base.db", target],
                           check=True)
            copied("cp from the mount", line, before, began)
        finally:
            m.close("after cp")
