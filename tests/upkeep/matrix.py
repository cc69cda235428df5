# SPDX-License-Identifier: GPL-2.0-or-later
"""Every object of a repository is spoiled in turn: check must name what cannot be
read any more, and nothing else.

    matrix.py WORK [OBJECT,... [WAY]]    objects whose names begin so
"""

import os
import shutil
import sys

import touched
import world

class Case:
    def __init__(self, work, repo, reads):
        self.work, self.repo, self.list = work, repo, reads
        self.copy = f"{work}/copy"

    def spoil(self, name, way):
        # what was seen of one copy says nothing about the next
        shutil.rmtree(f"{self.work}/home", ignore_errors=True)
        os.makedirs(f"{self.work}/home")
        world.fresh(self.repo, self.copy)
        world.WAYS[way](f"{self.copy}/{name}")

    def check(self, *options):
        code, out, err = world.run("yore", "check", "-r", self.copy, "--json",
                                   "--files", "0", *options, status=None)
        if code not in (0, 3, 4, 5, 6):
            raise SystemExit(f"check failed: {code} {err}")
        return code, touched.findings(out)

    def reads(self):
        code, out, err = world.run("reads", self.copy, self.list, status=None)
        if code:
            raise SystemExit(f"cannot be opened: {err}")
        return touched.read(out)


def is_about(finding, name):
    prefix = name.split("/")[0] + "/"
    return finding["object"] in (name, prefix)


def newest(repo, name):
    """Whether a delta is the last of its base; nothing tells that it was there."""
    return name.startswith("db/") and not any(
        x.rsplit("/", 1)[0] == name.rsplit("/", 1)[0] and x < name
        for x in world.objects(repo))


def judge(case, name, way):
    """Sentences that say what is wrong."""
    wrong = []
    options = [] if way == "removed" else ["--read-data"]
    code, (found, touches, total) = case.check("--no-mark", *options)
    reads = case.reads()
    if way == "removed" and newest(case.repo, name):
        followed = "/000000000001/" in name
        return [] if code == (5 if followed else 0) else [
            f"exit status {code}"]
    wrong += touched.compare(touches, reads)
    lost = any(reads.values())
    if lost != (code == 3) or lost != (total["lost"] > 0):
        wrong.append(f"exit status {code}, lost: {lost}")
    real = [f for f in found if f["what"] != "unreferenced"]
    kind = "missing" if way == "removed" else "damaged"
    if not real and name.startswith(("data/", "meta/", "snap/", "db/")):
        wrong.append("nothing was found")
    if lost and not any(is_about(f, name) and f["lost"] for f in real):
        wrong.append(f"the object was not named: {real}")
    if lost and not any(f["what"] == kind for f in real):
        wrong.append(f"not {kind}: {real}")
    return wrong


def main():
    work = sys.argv[1]
    os.makedirs(work, exist_ok=True)
    os.environ["HOME"] = f"{work}/home"
    only, only_way = (sys.argv[2:] + ["", ""])[:2]
    only = tuple(only.split(","))
    repo = world.make(work)
    lines = world.run("reads", repo)[1]
    reads = f"{work}/list"
    with open(reads, "w", encoding="utf-8") as f:
        f.write(lines)
    case = Case(work, repo, reads)
    bad = n = 0
    for name in world.objects(repo):
        if not name.startswith(only) or name == "format":
            continue
        for way in world.WAYS:
            if name.startswith("keys/") or (only_way and way != only_way):
                continue
            case.spoil(name, way)
            n += 1
            for sentence in judge(case, name, way)[:4]:
                print(f"{name}, {way}: {sentence}")
                bad += 1
    print(f"{n} cases")
    sys.exit(1 if bad or not n else 0)


if __name__ == "__main__":
    main()
