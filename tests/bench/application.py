#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An application that writes to the database of C5:

    application.py DB COMMITS RATE      so many a second

A commit is an order with its events, and something about older ones, of which
the newest change most: about 20 pages.  At the beginning and after each sixth of
the commits it prints the time."""
import json
import random
import sqlite3
import sys
import time

PARTS = 6


def commit(db, r, i, events):
    db.execute("begin immediate")
    order = db.execute(
        "insert into orders(customer_id, ts, status, total, items) "
        "values (?, ?, 'created', ?, '[]')",
        (r.randint(1, 50000), int(time.time()), r.random())).lastrowid
    for _ in range(2):
        db.execute("insert into events(order_id, ts, kind, payload) "
                   "values (?, ?, 'created', ?)",
                   (order, i, json.dumps({"id": r.getrandbits(128)})))
    for _ in range(5):
        newer = events - int(r.expovariate(1 / 5000)) % events
        for row in (newer, r.randint(1, events)):
            db.execute("update events set kind = 'note', ts = ? where id = ?",
                       (i, row))
    db.execute("commit")


def main():
    path, commits, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    db = sqlite3.connect(path, isolation_level=None, timeout=30)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    events, = db.execute("select max(id) from events").fetchone()
    print(time.time(), flush=True)
    r, began = random.Random(7), time.monotonic()
    for i in range(1, commits + 1):
        commit(db, r, i, events)
        if i % (commits // PARTS) == 0:
            print(time.time(), flush=True)
        time.sleep(max(0, began + i / rate - time.monotonic()))
    db.close()


if __name__ == "__main__":
    main()
