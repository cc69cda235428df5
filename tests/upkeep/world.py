# SPDX-License-Identifier: GPL-2.0-or-later
"""A small repository of everything: trees with big and small files, long
attributes, several snapshots; a database with deltas.  And ways to spoil it."""

import os
import random
import shutil
import sqlite3
import subprocess


def run(*args, status=(0,), env=None):
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=env, timeout=170, check=False)
    if status is not None and p.returncode not in status:
        raise SystemExit(f"{' '.join(args)}: exited with {p.returncode}\n"
                         f"{p.stdout.decode(errors='replace')}"
                         f"{p.stderr.decode(errors='replace')}")
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def fill(path, size, rng):
    with open(path, "wb") as f:
        f.write(rng.randbytes(size))


def make_tree(root, rng, hard_links):
    for d in ("a", "b/deep/er", "many"):
        os.makedirs(f"{root}/{d}")
    for i in range(12):
        fill(f"{root}/a/small{i}", 3000 + 500 * i, rng)
    fill(f"{root}/b/deep/big", 700000, rng)
    fill(f"{root}/b/deep/er/leaf", 5000, rng)
    with open(f"{root}/b/text", "w", encoding="ascii") as f:
        f.write("a line that compresses\n" * 9000)
    for i in range(900):  # a directory of several pages
        fill(f"{root}/many/{i:04}-{'n' * 60}", 20, rng)
    os.symlink("a/small1", f"{root}/link")
    if hard_links:
        os.link(f"{root}/a/small2", f"{root}/b/linked")
    try:
        for i in range(3):
            os.setxattr(f"{root}/a/small3", f"user.long{i}", rng.randbytes(900))
    except OSError:
        pass


def backup(repo, root, second):
    run("yore", "backup", "-q", "-r", repo, "--host", "h", "--source", "tree",
        "--time", f"2026-11-20T10:00:{second:02}Z", root)


def open_database(db):
    con = sqlite3.connect(db)
    con.execute("pragma journal_mode=wal")
    con.execute("pragma wal_autocheckpoint=0")
    con.execute("create table if not exists t(k integer primary key, v)")
    return con


def commit(con, rng, rows):
    for _ in range(rows):
        con.execute("insert or replace into t values(?, ?)",
                    (rng.randrange(400), rng.randbytes(700)))
    con.commit()


def replicate(repo, db, state):
    run("yore", "replicate", "-r", repo, "--host", "h", "--source", "app.db",
        "--state-dir", state, "--once", db)


def make(work, snapshots=3, points=11, hard_links=True):
    """Make work/repo from work/src and work/app.db."""
    rng = random.Random(7)
    repo, src, db = f"{work}/repo", f"{work}/src", f"{work}/app.db"
    run("yore", "init", "-q", "-r", repo, "--no-passphrase")
    make_tree(src, rng, hard_links)
    for i in range(snapshots):
        if i:
            fill(f"{src}/a/new{i}", 4000, rng)
            with open(f"{src}/b/deep/big", "r+b") as f:
                f.seek(300000 * (i - 1))
                f.write(rng.randbytes(1000))
        backup(repo, src, i)
    for generation in range(2):
        # held open, so that it goes on
        con = open_database(db)
        for i in range(points if generation else points // 2):
            commit(con, rng, 60 if i == 0 else 4)
            replicate(repo, db, f"{work}/state")
        con.close()
    return repo


def objects(repo):
    out = []
    for top, _, files in os.walk(repo):
        out += [os.path.relpath(f"{top}/{f}", repo) for f in files]
    return sorted(out)


def fresh(repo, copy):
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(repo, copy)


# -- Spoiling ------------------------------------------------------------------

def remove(path):
    os.unlink(path)


def writable(path):
    os.chmod(path, 0o600)


def truncate(path, share):
    writable(path)
    os.truncate(path, int(os.path.getsize(path) * share))


def append(path):
    writable(path)
    with open(path, "ab") as f:
        f.write(b"more")


def flip(path, where):
    writable(path)
    size = os.path.getsize(path)
    at = int(where * size) if isinstance(where, float) else where % size
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 0x10]))


WAYS = {
    "removed": remove,
    "cut in half": lambda p: truncate(p, 0.5),
    "emptied": lambda p: truncate(p, 0),
    "longer": append,
    "header flipped": lambda p: flip(p, 20),
    "first frame flipped": lambda p: flip(p, 100),
    "third flipped": lambda p: flip(p, 0.33),
    "middle flipped": lambda p: flip(p, 0.5),
    "three quarters flipped": lambda p: flip(p, 0.75),
    "end flipped": lambda p: flip(p, -4),
    "table flipped": lambda p: flip(p, -60),
}
