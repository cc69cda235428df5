# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured behind the line of far.py; the phases are functions as in
phases.py, but each has a server of its own, with one program's repository."""
import os

from common import drop_caches, put, wait_for_calm
from far import PIPED, FarMount, FarTool, Line, curls, fill, writer_home
from phases import find_all, first_bytes, list_all, queries


def with_line(body):
    def phase(tool, corpus, run):
        with Line() as line:
            far = FarTool(tool.name, line)
            fill(line, far, corpus)
            body(line, far, corpus, run)
    return phase


def mounted(phase, tool, corpus, run, label, again, body):
    m = FarMount(phase, tool, corpus, run, record=not again or label == "names",
                 again=again)
    try:
        body(m)
    finally:
        m.close(f"after {label}")


@with_line
def far_tree(_line, tool, corpus, run):
    facts = corpus.facts()

    def names(m):
        if not m.again:
            first_bytes(m, facts["names"], run)
        m.op("ls -lR", list_all(m.root))

    def find(m):
        m.op("find", find_all(m.root, facts["entries"]))

    def tar(m):
        m.op("tar", f"test $(tar cf - -C {m.root} . | wc -c) -ge "
             f"{facts['bytes']}", facts["bytes"] / 1e6)

    for label, body in (("names", names), ("find", find), ("tar", tar)):
        for again in (False, True):
            mounted("far_tree", tool, corpus, run, label, again, body)


@with_line
def far_db(line, tool, corpus, run):
    big = f"{corpus.made}/big.bin"

    def read(m):
        m.op("sequential read", ["dd", f"if={m.root}/big.bin", "of=/dev/null",
                                 "bs=1M"], os.path.getsize(big) / 1e6)

    def ask(m):
        queries(m, corpus.database(), run, scans=False)

    if tool.name == "yore":
        os.makedirs(f"{line.dir}/plain")
        os.symlink(big, f"{line.dir}/plain/big.bin")
        line.fill(f"{line.dir}/plain", "plain")
        curls(line, "far_db", corpus, run, big)
    for label, body in (("queries", ask), ("sequential read", read)):
        for again in (False, True):
            mounted("far_db", tool, corpus, run, label, again, body)


def put_writing(tool, corpus, label, run, before):
    then, now = before[0], tool.counts()[0]
    kinds = {k: n - then.get(k, 0) for k, n in now.items()
             if n > then.get(k, 0)}
    put("far_writer", tool.name, corpus.name, f"{label} requests", run,
        sum(kinds.values()), "requests", kinds=kinds)


def far_writer(tool, corpus, run):
    with Line() as line:
        far = FarTool(tool.name, line)
        repo = far.repo(corpus.name)
        if tool.name in PIPED:
            os.makedirs(line.dir + "/borg")
            repo = f"ssh://far{line.dir}/borg/{corpus.name}"
        home = writer_home(far, corpus, True)
        if far.run("tool_init", REPO=repo, TOOLHOME=home).status:
            raise RuntimeError("cannot make a repository")
        for label in ("first backup", "unchanged backup"):
            drop_caches()
            wait_for_calm()
            before = far.counts()
            usage = far.run("tool_backup", REPO=repo, NAME=label.split()[0],
                            SRC=corpus.source, TOOLHOME=home)
            more = {"status": usage.status} if usage.status else {}
            say = ("far_writer", tool.name, corpus.name)
            put(*say, label, run, usage.wall, "s", **more)
            put(*say, f"{label} peak memory", run, usage.peak, "MiB")
            put_writing(far, corpus, label, run, before)
