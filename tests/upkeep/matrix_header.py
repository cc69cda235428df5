# SPDX-License-Identifier: GPL-2.0-or-later
"""The header and the key slots of a repository, removed and spoiled in every
way: each command says which, and there is a way back.

    matrix_header.py WORK
"""

import json
import os
import shutil
import sys

import world

COMMANDS = ("ls", "cat h/s:f", "snapshots", "stats", "backup --host h --source s {src}",
            "check", "prune", "forget h/s --keep-last 1", "restore h/s {out}",
            "key list", "mount {out}")


class Place:
    def __init__(self, work):
        self.work = work
        self.repo, self.copy = f"{work}/repo", f"{work}/copy"
        self.words = {"src": f"{work}/src", "out": f"{work}/out"}
        for key in "one", "two":
            with open(f"{work}/{key}", "wb") as f:
                f.write(os.urandom(48))
        os.makedirs(self.words["src"])
        os.makedirs(self.words["out"])
        with open(f"{work}/src/f", "w", encoding="ascii") as f:
            f.write("content\n")
        os.environ["HOME"] = f"{work}/home"
        self.yore("init", "-q", "--key-file", f"{work}/one", on=self.repo, key=None)
        self.yore("key", "add", "--new-key-file", f"{work}/two", on=self.repo)
        self.yore("backup", "-q", "--host", "h", "--source", "s", f"{work}/src", on=self.repo)
        self.yore("key", "export", "--yes", f"{work}/paper", on=self.repo)
        world.fresh(os.environ["HOME"], f"{work}/home.before")

    def yore(self, command, *args, key="one", status=(0,), on=None):
        secret = ("--key-file", f"{self.work}/{key}") if key else ()
        return world.run("yore", command, *args, *secret, "-r", on or self.copy,
                         status=status)

    def slots(self):
        """{key: object} of the slots, by the key that opens them."""
        out = {}
        for key in "one", "two":
            lines = self.yore("key", "list", "--json", key=key, on=self.repo)[1]
            out[key] = [f"keys/{x['id']}" for x in map(json.loads, lines.splitlines())
                        if x["in_use"]][0]
        return out

    def fresh(self):
        # what was seen of one copy says nothing about the next
        world.fresh(f"{self.work}/home.before", os.environ["HOME"])
        world.fresh(self.repo, self.copy)

    def whole(self):
        """Sentences about what is not as it was."""
        code, out, _ = self.yore("cat", "h/s:f", status=None)
        wrong = [] if (code, out) == (0, "content\n") else ["cannot be read"]
        code, out, err = self.yore("check", "--read-data", status=None)
        return wrong + ([] if code == 0 else [f"check: {code} {out}{err}"])


def spoil_header(p, way):
    p.fresh()
    way(f"{p.copy}/format")


def judge_header(p, way, commands):
    wrong = []
    spoil_header(p, way)
    for command in commands:
        args = command.format(**p.words).split()
        code, _, err = p.yore(*args, status=None)
        if code != 1 or err.count("\n") != 1 or "`format`" not in err:
            wrong.append(f"{args[0]}: {code} {err}")
    before = world.objects(p.copy)
    p.yore("rebuild")
    if world.objects(p.copy) != before:
        wrong.append("written without --write")
    p.yore("rebuild", "--write")
    wrong += p.whole()
    # the paper alone, too
    spoil_header(p, way)
    shutil.rmtree(f"{p.copy}/keys")
    p.yore("key", "import", f"{p.work}/paper", "--new-key-file", f"{p.work}/one", key=None)
    return wrong + p.whole()


def findings(p, key):
    code, out, _ = p.yore("check", "--json", key=key, status=None)
    return code, [x for x in map(json.loads, out.splitlines()) if x["type"] == "finding"]


def judge_slot(p, name, way, other):
    p.fresh()
    world.WAYS[way](f"{p.copy}/{name}")
    code, found = findings(p, other)
    if way == "removed":
        return [] if (code, found) == (0, []) else [f"{code} {found}"]
    if code != 4 or [(f["object"], f["what"], f["lost"]) for f in found] != [
            (name, "damaged", False)] or "yore key add" not in found[0]["text"]:
        return [f"{code} {found}"]
    p.yore("key", "remove", name[5:], key=other)
    p.yore("key", "add", "--new-key-file", f"{p.work}/one", key=other)
    p.yore("key", "add", "--new-key-file", f"{p.work}/two", key=other)
    return p.whole()


def lost_slots(p):
    p.fresh()
    for name in p.slots().values():
        os.unlink(f"{p.copy}/{name}")
    code, _, err = p.yore("ls", status=None)
    return [] if code == 11 and "yore key import" in err else [f"{code} {err}"]


def main():
    p = Place(sys.argv[1])
    wrong = [f"no slots: {x}" for x in lost_slots(p)]
    for way, f in world.WAYS.items():
        wrong += [f"format, {way}: {x}" for x in judge_header(p, f, COMMANDS)]
    size = os.path.getsize(f"{p.repo}/format")
    for at in range(0, size, 11):
        way = lambda path, at=at: world.flip(path, at)
        wrong += [f"format, {at}: {x}" for x in judge_header(p, way, ("ls",))]
    slots = p.slots()
    for key, other in ("one", "two"), ("two", "one"):
        for way in world.WAYS:
            wrong += [f"{slots[key]}, {way}: {x}"
                      for x in judge_slot(p, slots[key], way, other)]
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
