#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""readers.py TREE MOUNTED SEED N: N processes read files of MOUNTED, whole and in
pieces, in an order of their own, and compare them with TREE, until the mount is
gone.  Exit 1: a byte was wrong; 2: an error that no vanished mount explains; 0
otherwise.  Prints how many bytes were compared."""
import errno
import os
import random
import sys

GONE = (errno.ENOTCONN, errno.ECONNABORTED, errno.EINTR, errno.ENODEV)


def files_below(tree):
    for where, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(where, name)
            yield os.path.relpath(path, tree)


def compare(tree, mounted, path, chance):
    """One file, or a piece of it; returns how many bytes were compared."""
    with open(os.path.join(tree, path), 'rb') as f:
        right = f.read()
    fd = os.open(os.path.join(mounted, path), os.O_RDONLY)
    try:
        off, length = 0, len(right)
        if length and chance.random() < 0.5:
            off = chance.randrange(length)
            length = chance.choice((1, 4096, 100000))
        got = os.pread(fd, length + (off == 0), off)
    finally:
        os.close(fd)
    if got != right[off:off + len(got)]:
        print(f'{path}: wrong bytes from {off} on', file=sys.stderr)
        os._exit(1)
    if len(got) < min(length, len(right) - off, 1):
        print(f'{path}: nothing at {off}', file=sys.stderr)
        os._exit(1)
    return len(got)


def read_on(tree, mounted, seed):
    chance = random.Random(seed)
    paths = sorted(files_below(tree))
    done = 0
    try:
        while True:
            start = chance.randrange(len(paths))
            # a stretch in order, as tar reads, or one file
            for path in paths[start:start + chance.choice((1, 1, 30))]:
                done += compare(tree, mounted, path, chance)
                # what the kernel remembers is not asked of the mount
                fd = os.open(os.path.join(mounted, path), os.O_RDONLY)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(fd)
    except OSError as e:
        if e.errno not in GONE:
            print(f'{e.filename}: {e.strerror}', file=sys.stderr)
            os._exit(2)
    return done


def main():
    tree, mounted, seed, n = sys.argv[1:]
    children = []
    for i in range(int(n)):
        pid = os.fork()
        if pid == 0:
            read_on(tree, mounted, int(seed) * 100 + i)
            os._exit(0)
        children.append(pid)
    worst = 0
    for pid in children:
        worst = max(worst, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    sys.exit(worst)


main()
