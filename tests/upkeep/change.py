#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""change.py DIR SEED: files come, change and go, the same for the same seed."""
import os
import random
import sys

root, seed = sys.argv[1], int(sys.argv[2])
r = random.Random(seed)


def size():
    kind = r.randrange(10)
    if kind < 2:
        return r.randrange(100)
    if kind < 8:
        return r.randrange(30000)
    return 100000 + r.randrange(400000)


def write(path):
    with open(path, "wb") as f:
        f.write(r.randbytes(size()))


os.makedirs(root, exist_ok=True)
files = sorted(
    os.path.join(d, f) for d, _, names in os.walk(root) for f in names
)
for path in files:
    fate = r.randrange(12)
    if fate == 0:
        os.unlink(path)
    elif fate < 3:
        write(path)
for _ in range(1 + r.randrange(9)):
    d = os.path.join(root, *(f"d{r.randrange(4)}" for _ in range(r.randrange(3))))
    os.makedirs(d, exist_ok=True)
    write(os.path.join(d, f"f{r.randrange(100000)}"))
