#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A replica of Litestream 0.5 in a bucket 20 ms away, read by sqlite3: below a
mount of yore's, and through the VFS extension of Litestream itself.

    ltx.py make NAME PAGES      a replica of a database of so many pages
    ltx.py point NAME           open, a row, 20 rows, a second process
    ltx.py scan NAME            count(*) by an index, and again
    ltx.py size NAME            pages after most of it was deleted and vacuumed
    ltx.py report

Each in a run of its own, with nothing cached; figures are appended to
BENCH_ROOT/ltx.jsonl.  YORE_BIN is the build directory (yore, tests/s3/server and
proxy, tests/foreign/make_ltx), LITESTREAM_VFS the extension, no Debian package:
npm pack litestream-vfs-linux-amd64@0.5.17.  The database is made in BENCH_MAKE
(/dev/shm), which needs as much room as it has bytes."""
import contextlib
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time

BIN = os.path.realpath(os.environ.get("YORE_BIN", "."))
ROOT = os.environ.get("BENCH_ROOT", "/var/tmp/yore-bench")
VFS = os.environ.get("LITESTREAM_VFS", "litestream-vfs.so")
BUCKET = f"{ROOT}/ltx"
FIGURES = f"{ROOT}/ltx.jsonl"
DELAY = 20  # ms
PAGE = 4096
ROWS_A_PAGE = 9  # with v of 420 bytes
TOOLS = ("yore", "vfs")


# ------------------------------------------------------------------ replicas

def sql(path, *statements):
    subprocess.run(["sqlite3", path], input=";\n".join(statements) + ";",
                   text=True, check=True, stdout=subprocess.DEVNULL)


def make_file(name, level, txid, before, after):
    folder = f"{BUCKET}/{name}/{level:04x}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{txid:016x}-{txid:016x}.ltx", "wb") as f:
        subprocess.run(
            [f"{BIN}/tests/foreign/make_ltx", f"{txid:x}", f"{txid:x}",
             str(1767225600000 + txid * 1000), before, after],
            check=True, stdout=f)


def make(name, pages):
    """A snapshot of all, and what some commits changed.  NAME.shrunk, of small
    ones: most is deleted then, and vacuumed."""
    pages = int(pages)
    rows = pages * ROWS_A_PAGE
    huge = pages > 500000  # to look for rows in, no more
    # what does not pack, or a file of one byte in twenty
    text = ("printf('%016x', i * 48271 % 2147483647) || "
            "printf('%.*c', 404, 'a')" if huge else "hex(randomblob(210))")
    with tempfile.TemporaryDirectory(
            dir=os.environ.get("BENCH_MAKE", "/dev/shm")) as work:
        db, old = f"{work}/db", f"{work}/old"
        sql(db, f"pragma page_size = {PAGE}", "pragma journal_mode = off",
            "pragma synchronous = off",
            "create table t(id integer primary key, k integer, v text)",
            "with recursive n(i) as (select 1 union all select i + 1 from n "
            f"where i < {rows}) insert into t select i, i * 7919 % {rows}, "
            f"{text} from n")
        if not huge:
            sql(db, "create index by_k on t(k)")
        make_file(name, 9, 1, "-", db)
        if huge:
            return
        for txid in range(2, 7):
            subprocess.run(["cp", db, old], check=True)
            sql(db, f"update t set v = 'changed' where id % 50000 = {txid}")
            make_file(name, 0, txid, old, db)
        if pages > 50000:
            return
        small = f"{name}.shrunk"
        make_file(small, 9, 1, "-", db)
        os.rename(db, old)
        sql(old, "pragma journal_mode = off")
        subprocess.run(["cp", old, db], check=True)
        sql(db, "delete from t where id > 200", "vacuum")
        make_file(small, 0, 2, old, db)


# ------------------------------------------------------------------ the line

class Line:
    def __init__(self, work):
        self.log, self.processes = f"{work}/proxy.log", []
        server = self.launch(f"{BIN}/tests/s3/server", BUCKET,
                             f"{work}/server.log", "ro-key:ro-secret:rl")
        proxy = self.launch(f"{BIN}/tests/s3/proxy", server["port"], self.log,
                            f"delay={DELAY}")
        self.endpoint = f"http://127.0.0.1:{proxy['port']}"
        os.environ.pop("AWS_CA_BUNDLE", None)  # there is no TLS
        os.environ.update(AWS_ACCESS_KEY_ID="ro-key", AWS_REGION="test-1",
                          AWS_SECRET_ACCESS_KEY="ro-secret",
                          AWS_ENDPOINT_URL=self.endpoint)

    def launch(self, *argv):
        p = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *argv],
                             stdout=subprocess.PIPE, text=True)
        self.processes.append(p)
        said = {}
        while "control" not in said:
            line = p.stdout.readline()
            if not line:
                raise RuntimeError(f"{argv[0]}: not started")
            said.update(x.split("=", 1) for x in shlex.split(line))
        return said

    def counts(self):
        time.sleep(0.3)  # a request is logged when it has been answered
        with open(self.log) as f:
            lines = [x.split() for x in f]
        return len(lines), sum(int(x[6]) for x in lines)

    def close(self):
        for p in reversed(self.processes):
            p.terminate()
            p.wait()


# ------------------------------------------------------------------- readers

class Shell:
    def __init__(self, argv):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, text):
        self.process.stdin.write(f"{text}\n.print done\n")
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline()) != "done\n":
            if not line:
                raise RuntimeError(f"no answer: {text}")
            lines.append(line.strip())
        return lines

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Reader:
    """A tool with nothing cached; what it takes is counted from the mount
    on."""

    def __init__(self, tool, name, line, work):
        self.tool, self.name, self.line = tool, name, line
        self.work = tempfile.mkdtemp(dir=work)
        self.shells, self.mount = [], None
        self.count()
        if tool == "yore":
            self.mount = f"{self.work}/mnt"
            os.mkdir(self.mount)
            os.environ.update(HOME=self.work, YORE_CACHE_DIR=f"{self.work}/c")
            self.daemon = subprocess.Popen(
                [f"{BIN}/yore", "mount", "-f", "-r", f"s3://yore/{name}",
                 self.mount])
            while not os.path.exists(f"{self.mount}/sources"):
                time.sleep(0.005)

    def open(self):
        if self.mount:
            argv = ["sqlite3", "-batch", f"{self.mount}/latest/litestream/"
                    f"{self.name}/{self.name}"]
        else:
            os.environ["LITESTREAM_REPLICA_URL"] = (
                f"s3://yore/{self.name}?endpoint={self.line.endpoint}"
                "&region=test-1&forcePathStyle=true")
            os.environ["LITESTREAM_ACCESS_KEY_ID"] = "ro-key"
            os.environ["LITESTREAM_SECRET_ACCESS_KEY"] = "ro-secret"
            os.environ["LITESTREAM_LOG_FILE"] = f"{self.work}/log"
            argv = ["sqlite3", "-batch", "-cmd", f".load {VFS}", "-cmd",
                    ".open file:x.db?vfs=litestream"]
        self.shells.append(Shell(argv))
        return self.shells[-1]

    def count(self):
        self.before, self.began = self.line.counts(), time.perf_counter()

    def put(self, what, answer=None):
        seconds = time.perf_counter() - self.began
        now = self.line.counts()
        figure = {"replica": self.name, "tool": self.tool, "what": what,
                  "seconds": round(seconds, 3),
                  "requests": now[0] - self.before[0],
                  "MB": round((now[1] - self.before[1]) / 1e6, 3)}
        if answer:
            figure["answer"] = answer
        with open(FIGURES, "a") as f:
            f.write(json.dumps(figure) + "\n")
        print(*figure.values(), flush=True)
        self.count()

    def close(self):
        for shell in self.shells:
            shell.close()
        if self.mount:
            subprocess.run([f"{BIN}/yore", "umount", self.mount], check=True)
            self.daemon.wait()


def rows(ids):
    return f"select count(v) from t where id in ({','.join(map(str, ids))});"


def point(reader):
    r, first = random.Random(1), reader.open()
    pages = int(first.ask("pragma page_count;")[0])
    reader.put("open")
    ids = [r.randint(1, pages * ROWS_A_PAGE // 2) for _ in range(22)]
    for what, some in (("a row", ids[:1]), ("20 rows", ids[1:21]),
                       ("a second process: a row", ids[21:])):
        shell = reader.open() if "process" in what else first
        if shell.ask(rows(some)) != [str(len(some))]:
            raise RuntimeError(what)
        reader.put(what)


def scan(reader):
    shell = reader.open()
    answers = set()
    for what in ("index scan", "index scan again"):
        answers.update(shell.ask("select count(k) from t indexed by by_k "
                                 "where k >= 0;"))
        reader.put(what, *answers)


def size(reader):
    reader.put("pages when shrunk", reader.open().ask("pragma page_count;")[0])


def measure(phase, name):
    subprocess.run(["sync"], check=True)
    for tool in TOOLS:
        with tempfile.TemporaryDirectory() as work, \
                contextlib.closing(Line(work)) as line, \
                contextlib.closing(Reader(tool, name, line, work)) as reader:
            phase(reader)


def report():
    with open(FIGURES) as f:
        figures = [json.loads(line) for line in f]
    newest = {(x["replica"], x["what"], x["tool"]): x for x in figures}
    for replica, what in dict.fromkeys(k[:2] for k in newest):
        two = [newest.get((replica, what, t)) for t in TOOLS]
        print(f"{replica:14}{what:26}" + " | ".join(
            f"{x['requests']:6} requests {x['MB']:8.2f} MB {x['seconds']:7.2f} s"
            f" {x.get('answer', ''):>8}" if x else "-" for x in two))


def main():
    phases = {"point": point, "scan": scan, "size": size}
    os.makedirs(BUCKET, exist_ok=True)
    if sys.argv[1:2] == ["make"] and len(sys.argv) == 4:
        make(*sys.argv[2:])
    elif sys.argv[1:] == ["report"]:
        report()
    elif len(sys.argv) == 3 and sys.argv[1] in phases:
        measure(phases[sys.argv[1]], sys.argv[2])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
