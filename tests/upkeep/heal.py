# SPDX-License-Identifier: GPL-2.0-or-later
"""Packs are spoiled, checked, and the source is backed up again.  The new snapshot
can be read whole; of the newest one before the content of all files can, too, as
the source still has it (a directory's page says where the pages below it lie, so
that one which is stored again together with those below is another page).  check
names exactly what is still lost, and exits with 0 when nothing is.

    heal.py WORK
"""

import json
import os
import sys

import matrix
import touched
import world

WAYS = ("removed", "cut in half", "emptied", "header flipped",
        "third flipped", "table flipped")


def judge(case, name, way):
    code, (_, _, total) = case.check("--read-data")
    if code == 0:
        return ["nothing was found"]
    if not total["marked"]:
        return ["nothing was marked"]
    world.run("yore", "backup", "-q", "-r", case.copy, "--host", "h",
              "--source", "tree", f"{case.work}/src")
    code, (found, touches, total) = case.check("--read-data")
    reads = case.reads()
    wrong = touched.compare(touches, reads)
    lost = {k for k, is_lost in reads.items() if is_lost}
    if name.startswith("data/"):
        wrong += [f"{k} was not healed" for k in lost if k[0] == case.newest]
    wrong += [f"{k} is not whole" for k in case.reads_new()]
    if code != (3 if lost else 0):
        wrong.append(f"exit status {code}, {len(lost)} lost, {found}")
    if not lost and not total["known"]:
        wrong.append("what is healed is not told")
    return wrong


class Case(matrix.Case):
    newest = None

    def reads_new(self):
        """What cannot be read of snapshots that were made since."""
        with open(self.list, encoding="utf-8") as f:
            before = {x.split("\t")[0] for x in f}
        lines = world.run("reads", self.copy, status=None)[1].splitlines(True)
        with open(f"{self.work}/new", "w", encoding="utf-8") as f:
            f.writelines(x for x in lines if x.split("\t")[0] not in before)
        out = world.run("reads", self.copy, f"{self.work}/new")[1]
        reads = touched.read(out)
        return [k for k, is_lost in reads.items() if is_lost or not reads]


def main():
    work = sys.argv[1]
    os.makedirs(work)
    os.environ["HOME"] = f"{work}/home"
    repo = world.make(work, points=1, hard_links=False)
    with open(f"{work}/list", "w", encoding="utf-8") as f:
        f.write(world.run("reads", repo)[1])
    case = Case(work, repo, f"{work}/list")
    lines = world.run("yore", "snapshots", "-r", repo, "--json", "h/tree")[1]
    case.newest = max((json.loads(x) for x in lines.splitlines()),
                      key=lambda x: x["time"])["id"]
    bad = n = 0
    for name in world.objects(repo):
        if not name.startswith(("data/", "meta/")):
            continue
        for way in WAYS:
            case.spoil(name, way)
            n += 1
            for sentence in judge(case, name, way)[:4]:
                print(f"{name}, {way}: {sentence}")
                bad += 1
    print(f"{n} cases")
    sys.exit(1 if bad or not n else 0)


main()
