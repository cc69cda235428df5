#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""model.py SEED STEPS: a repository against a model of it in memory.

Random backups, rules, names, pins, undos, prunes and copies, some of which are
killed at a random call of the store and repeated.  After each step there is
exactly what the model says, and some of it, at the end all, is read back.
"""
import datetime
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time

REPO, OTHER = os.path.abspath("repo"), os.path.abspath("other")
PERIODS = ["hourly", "daily", "weekly", "monthly", "yearly"]
SECONDS = {"h": 3600, "d": 86400, "w": 604800}
DAY = 86400


class Snapshot:
    def __init__(self, source, seq, id_, t, tags, files):
        self.source, self.seq, self.id = source, seq, id_
        self.time, self.tags, self.files = t, tags, files


def yore(*args, status=0, repo=None):
    env = dict(os.environ, YORE_REPOSITORY=repo or REPO)
    p = subprocess.run(
        ["yore", *args], capture_output=True, text=True, env=env, timeout=120
    )
    if status is not None and p.returncode != status:
        sys.exit(f"yore {args}: {p.returncode}, not {status}: {p.stderr}")
    return p


def lines(p, kind):
    found = (json.loads(line) for line in p.stdout.splitlines())
    return [line for line in found if line["type"] == kind]


def content(root):
    """What a tree holds: {path: hash}"""
    return {
        os.path.relpath(os.path.join(d, f), root): hashlib.sha256(
            open(os.path.join(d, f), "rb").read()
        ).hexdigest()
        for d, _, names in os.walk(root)
        for f in names
    }


# -- Rules, by their definition ----------------------------------------------


def period_of(kind, t):
    d = datetime.datetime.fromtimestamp(t, datetime.timezone.utc)
    return {
        "hourly": (d.year, d.month, d.day, d.hour),
        "daily": (d.year, d.month, d.day),
        "weekly": d.isocalendar()[:2],
        "monthly": (d.year, d.month),
        "yearly": (d.year,),
    }[kind]


def seconds_of(text):
    return int(text[:-1]) * SECONDS[text[-1]]


def reasons(rules, snapshots, pins):
    """{seq: why it stays}, of one source, in the order of numbers"""
    why = {s.seq: set() for s in snapshots}
    if not snapshots:
        return why
    newest = snapshots[-1]
    start = min(newest.time, time.time())
    why[newest.seq].add("newest")
    for s in snapshots:
        if (s.source, s.seq) in pins:
            why[s.seq].add("pinned")
    for rule, value in rules:
        if rule == "last":
            for s in snapshots[-int(value):]:
                why[s.seq].add("last")
        elif rule == "tag":
            for s in snapshots:
                if value in s.tags:
                    why[s.seq].add("tag")
        elif rule == "within":
            for s in snapshots:
                if s.time >= start - seconds_of(value):
                    why[s.seq].add("within")
        else:
            hold_periods(rule, value, snapshots, start, why)
    return why


def hold_periods(rule, value, snapshots, start, why):
    kind = rule.replace("within-", "")
    seen = set()
    for s in reversed(snapshots):
        period = period_of(kind, s.time)
        if period in seen:
            continue
        seen.add(period)
        if kind == rule:
            holds = value == "all" or len(seen) <= int(value)
        else:
            holds = s.time >= start - seconds_of(value)
        if holds:
            why[s.seq].add(rule)


# -- The model ----------------------------------------------------------------


class Model:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.live, self.trash, self.pins = [], [], set()
        self.copied = {}  # id there -> snapshot
        self.sources = ["a", "b", "c"]
        self.clock = {s: 1600000000 for s in self.sources}
        self.counts = {}
        for repo in REPO, OTHER:
            yore("init", "-q", "--no-passphrase", repo=repo)

    def of(self, source):
        return [s for s in self.live if s.source == source]

    def run(self, *args, status=0):
        """A command, now and then killed on its way and repeated."""
        if self.r.randrange(3) == 0:
            n = self.r.randrange(1, 40)
            p = yore(*args, status=None, repo=f"fault:kill@{n}:{REPO}")
            if p.returncode == -9:
                self.counts["killed"] = self.counts.get("killed", 0) + 1
        return yore(*args, status=status)

    # -- what happens

    def next_time(self, source):
        step = self.r.choice(
            [600, 3600, 5 * 3600, DAY, 3 * DAY, 20 * DAY, 100 * DAY]
        )
        odd = self.r.randrange(10)
        t = self.clock[source]
        if odd == 0:
            return t  # again
        if odd == 1:
            return t - self.r.randrange(40 * DAY)  # the clock went back
        if odd == 2:
            return 2500000000 + self.r.randrange(DAY)  # and is wrong
        self.clock[source] = t + self.r.randrange(step)
        return self.clock[source]

    def change(self, root):
        os.makedirs(root, exist_ok=True)
        for _ in range(self.r.randrange(1, 4)):
            path = f"{root}/f{self.r.randrange(8)}"
            if os.path.exists(path) and self.r.randrange(4) == 0:
                os.unlink(path)
                continue
            with open(path, "wb") as f:
                f.write(self.r.randbytes(self.r.choice([10, 3000, 200000])))

    def backup(self):
        source = self.r.choice(self.sources)
        self.change(source)
        tags = self.r.sample(["x", "y"], self.r.randrange(3))
        t = self.next_time(source)
        args = ["backup", "-q", "--host", "h", "--source", source]
        for tag in tags:
            args += ["--tag", tag]
        self.run(*args, "--time", f"@{t}", source)
        files = content(source)
        known = {s.id for s in self.live}
        new = [s for s in self.listed() if s["id"] not in known]
        assert 1 <= len(new) <= 2, new
        for s in new:
            assert s["source"] == source, s
            self.live.append(
                Snapshot(source, s["sequence"], s["id"], t, tags, files)
            )

    def rules(self):
        def length():
            return f"{self.r.randrange(1, 60)}{self.r.choice('hdw')}"

        kinds = ["last", "tag", "within"] + PERIODS
        kinds += ["within-" + p for p in PERIODS]
        rules = []
        for kind in self.r.sample(kinds, self.r.randrange(1, 4)):
            if kind == "tag":
                rules.append((kind, self.r.choice("xy")))
            elif "within" in kind:
                rules.append((kind, length()))
            else:
                n = self.r.randrange(1, 8)
                every = kind != "last" and self.r.randrange(6) == 0
                rules.append((kind, "all" if every else str(n)))
        return rules

    def forget(self):
        rules = self.rules()
        source = self.r.choice(self.sources + [None])
        args = ["forget", "--json"]
        for kind, value in rules:
            args += [f"--keep-{kind}", value]
        if source and self.of(source):
            args.append(f"h/{source}")
        else:
            source = None
        why = {}
        for s in [source] if source else self.sources:
            for seq, w in reasons(rules, self.of(s), self.pins).items():
                why[s, seq] = w
        said = lines(yore(*args, "-n"), "decision")
        told = {(d["source"], d["sequence"]): set(d["reasons"]) for d in said}
        assert told == why, (rules, told, why)
        assert all(d["keep"] == bool(d["reasons"]) for d in said)
        self.run(*args)
        self.throw([s for s in self.live
                    if (s.source, s.seq) in why and not why[s.source, s.seq]])

    def throw(self, gone):
        self.live = [s for s in self.live if s not in gone]
        self.trash += gone

    def forget_named(self):
        some = self.r.sample(self.live, min(len(self.live), 2))
        newest = {self.of(s)[-1].id for s in self.sources if self.of(s)}
        bad = [s for s in some
               if s.id in newest or (s.source, s.seq) in self.pins]
        args = ["forget", "-q", *(s.id for s in some)]
        if bad:
            yore(*args, status=1)
        elif some:
            self.run(*args)
            self.throw(some)

    def pin(self):
        for s in self.r.sample(self.live, min(len(self.live), 1)):
            if (s.source, s.seq) in self.pins:
                self.run("forget", "--unpin", s.id)
                self.pins.discard((s.source, s.seq))
            else:
                self.run("forget", "--pin", s.id)
                self.pins.add((s.source, s.seq))

    def undo(self):
        if self.r.randrange(2) and self.trash:
            some = [self.r.choice(self.trash)]
            self.run("forget", "-q", "--undo", some[0].id)
        else:
            some = self.trash
            self.run("forget", "-q", "--undo")
        self.live = sorted(
            self.live + some, key=lambda s: (s.source, s.seq))
        self.trash = [s for s in self.trash if s not in some]

    def prune(self):
        """One that waits for nothing, and takes what is in the trash; or one
        that finds nothing old enough."""
        if self.r.randrange(3):
            self.run("prune", "-q", "--grace", "0s", "--unsafe-grace")
            self.trash = []
        else:
            self.run("prune", "-q")

    def copy(self):
        """What comes to the other repository has the time and the content of
        a snapshot that is there now; and stays, whatever becomes of that."""
        n = self.r.randrange(1, 80)
        if self.r.randrange(3) == 0:
            yore("copy", "-q", "--to", f"fault:kill@{n}:{OTHER}", status=None)
        yore("copy", "-q", "--to", OTHER)
        for s in self.listed(OTHER):
            if s["id"] in self.copied:
                continue
            t = int(
                datetime.datetime.strptime(s["time"][:19], "%Y-%m-%dT%H:%M:%S")
                .replace(tzinfo=datetime.timezone.utc)
                .timestamp()
            )
            files = self.content_of(s["source"], s["id"], OTHER)
            assert any(
                (o.time, o.files) == (t, files) for o in self.of(s["source"])
            ), f"{s} is a copy of nothing"
            self.copied[s["id"]] = Snapshot(
                s["source"], s["sequence"], s["id"], t, s["tags"], files)
        for source in self.sources:
            self.newest_is_there(source)

    def newest_is_there(self, source):
        """Unless its time is older than what is there already."""
        there = [s.time for s in self.copied.values() if s.source == source]
        for s in self.of(source)[-1:]:
            assert s.time in there or max(there) > s.time, (source, s.seq)

    # -- what must be true

    def listed(self, repo=REPO):
        return lines(yore("snapshots", "--json", repo=repo), "snapshot")

    def content_of(self, source, id_, repo=REPO):
        shutil.rmtree("back", ignore_errors=True)
        yore("restore", "-q", f"h/{source}@{id_}", "back", repo=repo)
        return content("back")

    def read(self, s, repo=REPO):
        files = self.content_of(s.source, s.id, repo)
        assert files == s.files, f"{s.source} {s.seq} has changed"

    def check_copies(self):
        there = {s["id"] for s in self.listed(OTHER)}
        assert there == set(self.copied), "copies"
        for s in self.r.sample(list(self.copied.values()),
                               min(1, len(there))):
            self.read(s, OTHER)

    def check(self):
        self.live.sort(key=lambda s: (s.source, s.seq))
        there = [(s["source"], s["sequence"], s["id"]) for s in self.listed()]
        model = [(s.source, s.seq, s.id) for s in self.live]
        assert there == model, (there, model)
        back = lines(yore("forget", "--undo", "-n", "--json"), "undo")
        assert sorted(s["id"] for s in back) == sorted(
            s.id for s in self.trash), (back, [s.id for s in self.trash])
        named = subprocess.run(
            [os.environ["CATALOGUED"], REPO], capture_output=True, text=True,
            check=True).stdout.split()
        assert named == sorted(s.id for s in self.live), "catalogs"
        for s in self.r.sample(self.live, min(2, len(self.live))):
            self.read(s)
        if self.r.randrange(8) == 0:
            self.check_copies()

    def step(self):
        names = ["backup"] * 6 + ["forget"] * 3 + ["forget_named", "undo"]
        names += ["pin", "prune", "prune", "copy"]
        name = self.r.choice(names) if self.live else "backup"
        self.counts[name] = self.counts.get(name, 0) + 1
        print(len(self.live), len(self.trash), name, self.counts.get("killed"), flush=True)
        getattr(self, name)()
        self.check()

    def end(self):
        for s in self.live:
            self.read(s)
        for _ in range(3):
            yore("prune", "-q", "--grace", "0s", "--unsafe-grace")
        for s in self.live:
            self.read(s)
        self.copy()
        self.check_copies()
        p = yore("check", "--read-data", status=None)
        assert p.returncode == 0, p.stdout + p.stderr
        print(self.counts, f"{len(self.live)} snapshots at the end")


if __name__ == "__main__":
    m = Model(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        m.step()
    m.end()
