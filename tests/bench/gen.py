#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the corpora of the benchmark.

usage: gen.py DIRECTORY [C1|C2|C3|C4|C5]...

  C1  C1/snaps/01..20 (001..100): states of a source tree, from the tags of
      eight git repositories, bare clones BENCH_GIT/OWNER+NAME/repo
  C2  C2/snaps/01, 02: a copy of parts of /usr, and the same with about 1 % of
      its files altered
  C3  C3/base.db (SQLite, realistic rows) and C3/big.bin (incompressible)
  C4  C4/many/AA/BB/f*.json (about 1 KiB each), C4/flat (one directory)
  C5  C5/base.db (rows as in C3): what an application goes on writing to

What exists is left alone; a corpus has its name only when it is complete.
Sizes from the environment: C1_STATES C1_REPOS C2_DIRS C3_MIB BIG_MIB MANY FLAT
C5_MIB.
The same sizes give the same bytes, C2 apart, which is the machine's.
"""
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys

BASE_TIME = 1_700_000_000
GIT = os.environ.get("BENCH_GIT", "")
REPOS = os.environ.get("C1_REPOS", """restic+restic borgbackup+borg
    libfuse+libfuse cvmfs+cvmfs kopia+kopia benbjohnson+litestream s3ql+s3ql
    rustic-rs+rustic""").split()
DIRS = os.environ.get("C2_DIRS", """/usr/share /usr/include /usr/lib/gcc
    /usr/lib/llvm-14 /usr/lib/python3 /usr/lib/python3.11
    /usr/lib/git-core""").split()


def size(name, default):
    return int(os.environ.get(name, default))


# ------------------------------------------------------------ C1: sources

def git(repo, *args, given=None):
    command = ["git", "-C", f"{GIT}/{repo}/repo", *args]
    return subprocess.run(command, check=True, input=given,
                          stdout=subprocess.PIPE).stdout


def choose_tags(repo, n):
    """n tags spread evenly over the newer part of a history."""
    tags = git(repo, "tag", "--sort=creatordate").decode().split()
    if repo == "borgbackup+borg":
        tags = [t for t in tags
                if t.startswith(("1.2.", "1.4.")) and "dev" not in t]
    tags = tags[-2 * n:]
    if len(tags) <= n:
        return [tags[i * len(tags) // n] for i in range(n)]
    return [tags[round(i * (len(tags) - 1) / max(1, n - 1))]
            for i in range(n)]


def absent_paths(repo, tag):
    """Files whose content a partial clone does not have."""
    listing = git(repo, "ls-tree", "-r", "-z", tag).decode().split("\0")
    ids = {}
    for line in filter(None, listing):
        kind, path = line.split("\t", 1)
        if kind.split()[1] == "blob":
            ids[path] = kind.split()[2]
    asked = "".join(f"{i}\n" for i in ids.values()).encode()
    said = git(repo, "cat-file", "--batch-check=%(objectname) %(objecttype)",
               given=asked).decode().splitlines()
    missing = {s.split()[0] for s in said if s.endswith("missing")}
    return [path for path, i in ids.items() if i in missing]


def export(repo, tag, where):
    left_out = [f":(exclude,literal){p}" for p in absent_paths(repo, tag)]
    tar = git(repo, "archive", tag, "--", ".", *left_out)
    os.makedirs(where)
    subprocess.run(["tar", "x", "-C", where], input=tar, check=True)


def fingerprint(path):
    if os.path.islink(path):
        return "link", os.readlink(path)
    with open(path, "rb") as f:
        return os.stat(path).st_mode, hashlib.sha1(f.read()).hexdigest()


def set_times(top, day, before):
    """What did not change since the state before keeps its time."""
    now = {}

    def stamp(path, key):
        name = path[len(top):]
        old = before.get(name)
        when = old[1] if old and old[0] == key else BASE_TIME + day * 86400
        now[name] = (key, when)
        os.utime(path, (when, when), follow_symlinks=False)

    for where, dirs, files in os.walk(top, topdown=False):
        for name in files:
            stamp(f"{where}/{name}", fingerprint(f"{where}/{name}"))
        for name in dirs:
            if os.path.islink(f"{where}/{name}"):
                stamp(f"{where}/{name}", fingerprint(f"{where}/{name}"))
        stamp(where, ("directory", tuple(sorted(dirs + files))))
    return now


def make_c1(root):
    n = size("C1_STATES", 20)
    found = [r for r in REPOS if os.path.isdir(f"{GIT}/{r}/repo")]
    if found != REPOS:
        lacking = [r for r in REPOS if r not in found]
        sys.exit(f"C1 needs bare clones {GIT or '$BENCH_GIT'}/OWNER+NAME/repo;"
                 f" not there: {' '.join(lacking)}")
    tags = {r: choose_tags(r, n) for r in found}
    with open(f"{root}/tags.json", "w") as f:
        json.dump(tags, f, indent=1)
    before = {}
    digits = max(2, len(str(n)))
    for i in range(n):
        state = f"{root}/snaps/{i + 1:0{digits}d}"
        for repo in found:
            export(repo, tags[repo][i], f"{state}/{repo.split('+')[1]}")
        before = set_times(state, i, before)


# ------------------------------------------------------- C2: system trees

def altered(data, k, r):
    """Touched, appended to, inserted into, one byte changed: in turn."""
    if k % 4 == 1:
        data += b"\n# altered %d\n" % k
    elif k % 4 == 2 and data:
        at = r.randrange(len(data))
        data[at:at] = b"inserted %d" % k
    elif k % 4 == 3 and data:
        data[r.randrange(len(data))] ^= 0x55
    return data


def make_c2(root):
    first, second = f"{root}/snaps/01", f"{root}/snaps/02"
    os.makedirs(first)
    dirs = [d for d in DIRS if os.path.isdir(d)]
    subprocess.run(["rsync", "-aHR", *dirs, f"{first}/"], check=True)
    subprocess.run(["cp", "-al", first, second], check=True)
    files = []
    for where, dirs, names in os.walk(second):
        dirs.sort()
        paths = [f"{where}/{n}" for n in sorted(names)]
        files += [p for p in paths
                  if os.path.isfile(p) and not os.path.islink(p)]
    r = random.Random(2)
    for k, path in enumerate(files[::100]):
        mode = os.stat(path).st_mode & 0o7777
        with open(path, "rb") as f:
            data = altered(bytearray(f.read()), k, r)
        os.unlink(path)  # the first state has the same inode
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, mode)
        os.utime(path, (BASE_TIME + k, BASE_TIME + k))


# ------------------------------------------------------------ C3: big files

SYLLABLES = """ka ro mi ten sol ar vi po lan de qu st er in on ta be gri lo
    sha""".split()


def make_words(r):
    return ["".join(r.choice(SYLLABLES) for _ in range(r.randint(1, 4)))
            for _ in range(8000)]


SCHEMA = """
    pragma page_size=4096; pragma journal_mode=off;
    pragma synchronous=off; pragma locking_mode=exclusive;
    create table customers(id integer primary key, name text, email text,
        city text, created integer, notes text);
    create table orders(id integer primary key, customer_id integer,
        ts integer, status text, total real, items text);
    create table events(id integer primary key, order_id integer, ts integer,
        kind text, payload text);"""
KINDS = "created paid packed shipped delivered returned note".split()
BATCH = 20000


class Shop:
    """Rows of a shop, drawn from one random generator in a fixed order."""

    def __init__(self, r, customers):
        self.r, self.customers = r, customers
        self.words = make_words(r)
        self.sentences = [
            " ".join(r.choices(self.words, k=r.randint(6, 16))) + "."
            for _ in range(60000)]
        self.orders = self.events = 0

    def customer(self, i):
        r, w = self.r, self.words
        return (i, f"{r.choice(w)} {r.choice(w)}",
                f"{r.choice(w)}{i}@example.org", r.choice(w), BASE_TIME + i,
                r.choice(self.sentences))

    def order(self):
        r = self.r
        self.orders += 1
        return (self.orders, r.randint(1, self.customers),
                BASE_TIME + self.orders, r.choice(KINDS),
                r.randint(100, 999999) / 100,
                json.dumps([{"sku": f"{r.getrandbits(32):08x}",
                             "qty": r.randint(1, 9)}
                            for _ in range(r.randint(1, 4))]))

    def event(self):
        r, s = self.r, self.sentences
        self.events += 1
        kind = r.choice(KINDS)
        payload = {
            "id": f"{r.getrandbits(128):032x}",
            "ip": "10." + ".".join(str(r.randint(0, 255)) for _ in range(3)),
            "msg": " ".join(r.choice(s) for _ in range(3)),
            "ms": r.random()}
        return (self.events, self.orders, BASE_TIME + self.events, kind,
                json.dumps(payload))

    def batch(self):
        orders, events = [], []
        for _ in range(BATCH):
            orders.append(self.order())
            events += [self.event(), self.event()]
        return orders, events


def make_database(path, target):
    customers = target // 20000
    shop = Shop(random.Random(3), customers)
    db = sqlite3.connect(path)
    db.executescript(SCHEMA)
    db.executemany("insert into customers values(?,?,?,?,?,?)",
                   (shop.customer(i) for i in range(1, customers + 1)))
    while os.path.getsize(path) < target * 0.94:
        orders, events = shop.batch()
        db.executemany("insert into orders values(?,?,?,?,?,?)", orders)
        db.executemany("insert into events values(?,?,?,?,?)", events)
        db.commit()
    db.executescript("""create index orders_c on orders(customer_id);
                        create index events_o on events(order_id);""")
    db.commit()
    db.close()
    return {"customers": customers, "orders": shop.orders,
            "events": shop.events, "bytes": os.path.getsize(path)}


def make_c3(root):
    info = make_database(f"{root}/base.db", size("C3_MIB", 2048) << 20)
    with open(f"{root}/info.json", "w") as f:
        json.dump(info, f)
    r = random.Random(33)
    with open(f"{root}/big.bin", "wb") as f:
        for _ in range(size("BIG_MIB", 1024)):
            f.write(r.randbytes(1 << 20))


# --------------------------------------------------------- C4: small files

def make_c4(root):
    r = random.Random(4)
    text = " ".join(r.choices(make_words(r), k=400000))
    for i in range(size("MANY", 500000)):
        where = f"{root}/many/{i // 5000:02d}/{i // 100 % 50:02d}"
        if i % 100 == 0:
            os.makedirs(where)
        at = r.randrange(len(text) - 2000)
        key = r.getrandbits(64)
        words = text[at:at + r.randint(600, 1300)]
        with open(f"{where}/f{i:06d}.json", "w") as f:
            f.write(f'{{"id": {i}, "key": "{key:016x}", "text": "{words}"}}\n')
    os.makedirs(f"{root}/flat")
    for i in range(size("FLAT", 200000)):
        name = f"message-{i:06d}-{r.getrandbits(32):08x}.eml"
        with open(f"{root}/flat/{name}", "w") as f:
            f.write(f"Subject: {i} {r.getrandbits(64):x}\n\n"
                    f"{text[i:i + 60]}\n")


# ------------------------------------------------------ C5: a live database

def make_c5(root):
    info = make_database(f"{root}/base.db", size("C5_MIB", 1024) << 20)
    with open(f"{root}/info.json", "w") as f:
        json.dump(info, f)


MAKERS = {"C1": make_c1, "C2": make_c2, "C3": make_c3, "C4": make_c4,
          "C5": make_c5}


def main():
    top, wanted = sys.argv[1], sys.argv[2:] or ["C2", "C3", "C4", "C5", "C1"]
    for name in wanted:
        if os.path.isdir(f"{top}/{name}"):
            continue
        part = f"{top}/{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        print("making", name, flush=True)
        MAKERS[name](part)
        os.rename(part, f"{top}/{name}")


if __name__ == "__main__":
    if len(sys.argv) < 2 or set(sys.argv[2:]) - set(MAKERS):
        sys.exit(__doc__)
    main()
