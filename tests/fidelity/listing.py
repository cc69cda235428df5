#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""listing.py DIR [restored]: all that can be known of a tree, one line a name.

Names of one file are named by the first of them, so that two trees print the
same exactly when they are the same.  Holes are found with SEEK_DATA, content
is not read.  "restored" leaves out what no program can set: change times, and
how much room a file system takes for directories and attributes.
"""
import hashlib
import os
import stat
import sys


def holes(path, size):
    """The stretches of data of a file, as SEEK_DATA and SEEK_HOLE say."""
    found, off = [], 0
    fd = os.open(path, os.O_RDONLY)
    try:
        while off < size:
            try:
                data = os.lseek(fd, off, os.SEEK_DATA)
            except OSError:  # ENXIO: a hole up to the end
                break
            off = os.lseek(fd, data, os.SEEK_HOLE)
            found.append((data, off))
    finally:
        os.close(fd)
    return found


def xattrs(path):
    names = sorted(os.listxattr(path, follow_symlinks=False))
    values = [os.getxattr(path, n, follow_symlinks=False) for n in names]
    return [(n, len(v), hashlib.sha1(v).hexdigest()[:12])
            for n, v in zip(names, values)]


class Listing:
    def __init__(self, restored):
        self.restored = restored
        self.first = {}

    def line(self, path, name):
        st = os.lstat(path)
        is_dir = stat.S_ISDIR(st.st_mode)
        said = [ascii(name), oct(st.st_mode), st.st_uid, st.st_gid,
                st.st_nlink, st.st_mtime_ns, xattrs(path)]
        if not is_dir:
            said.append(self.first.setdefault((st.st_dev, st.st_ino), name))
        if stat.S_ISLNK(st.st_mode):
            said.append(os.readlink(path))
        if stat.S_ISBLK(st.st_mode) or stat.S_ISCHR(st.st_mode):
            said.append((os.major(st.st_rdev), os.minor(st.st_rdev)))
        if stat.S_ISREG(st.st_mode):
            said += [st.st_size, st.st_blocks, holes(path, st.st_size)]
        elif not self.restored:
            said += [st.st_size, st.st_blocks]
        if not self.restored:
            said.append(st.st_ctime_ns)
        print(*said)

    def walk(self, path, name):
        self.line(path, name)
        for n in sorted(os.listdir(path)):
            below = path + b'/' + n
            if stat.S_ISDIR(os.lstat(below).st_mode):
                self.walk(below, name + b'/' + n)
            else:
                self.line(below, name + b'/' + n)


sys.setrecursionlimit(10000)
Listing(len(sys.argv) > 2).walk(os.fsencode(sys.argv[1]), b'.')
