#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""cycle_reader.py MOUNT MUST STOP: read snapshots through a mount until the file
STOP exists.  What a snapshot that was not forgotten holds is compared with
MUST/<source>@<seconds>; it may vanish only when that file has."""
import calendar
import hashlib
import os
import random
import sys
import time

mount, must, stop = sys.argv[1:]
r = random.Random(1)
read = errors = 0


def key(source, name):
    t = time.strptime(name[:20], "%Y-%m-%dT%H-%M-%SZ")
    return f"{source}@{calendar.timegm(t)}"


def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.hexdigest()


def look(source, name):
    global read
    at = os.path.join(must, key(source, name))
    top = f"{mount}/sources/h/{source}/snapshots/{name}"
    try:
        with open(at) as f:
            wanted = dict(reversed(x.rstrip("\n").split("  ", 1)) for x in f)
    except FileNotFoundError:
        return  # not complete yet, or forgotten
    found = {}
    try:
        for d, _, files in os.walk(top, onerror=lambda e: (_ for _ in ()).throw(e)):
            for f in files:
                path = os.path.join(d, f)
                found["./" + os.path.relpath(path, top)] = digest(path)
    except OSError as e:
        if os.path.exists(at):
            sys.exit(f"{source}@{name}: {e}")
        return
    if found != wanted and os.path.exists(at):
        odd = sorted(set(found.items()) ^ set(wanted.items()))
        sys.exit(f"{source}@{name}: not what was backed up: {odd[:4]}")
    read += 1


while not os.path.exists(stop):
    sources = [s for s in os.listdir(f"{mount}/sources/h") if s.startswith("s")]
    for source in sources:
        try:
            names = os.listdir(f"{mount}/sources/h/{source}/snapshots")
        except FileNotFoundError:
            continue
        if names:
            look(source, r.choice(names))
    time.sleep(0.05)
print(f"{read} snapshots read through the mount")
if not read:
    sys.exit("nothing was read")
