# SPDX-License-Identifier: GPL-2.0-or-later
"""A history that is made at random, and its versions told from its snapshots.

    versions.py change TREE SEED      something happens in the tree
    versions.py check SOURCE_DIR      versions/ against snapshots/, all paths
"""
import os
import random
import shutil
import stat
import sys

NAMES = [b"a", b"b.txt", b"c.tar.gz", b"\xff\n%", b".h", b"2020-09-13T12-27-40Z",
         b"n" * 251 + b".odt", b"d.very-long-ending-of-it"]


# -- A history ----------------------------------------------------------------

def somewhere(tree, rng):
    dirs = [d for d, _, _ in os.walk(tree)]
    return os.path.join(rng.choice(dirs), rng.choice(NAMES))


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def write(path, rng):
    if os.path.isdir(path) or os.path.islink(path):
        remove(path)
    size = rng.choice([0, 3, 3, 100, 5000])
    with open(path, "wb") as f:
        f.write(bytes(rng.choice(b"xy") for _ in range(size)))
    if rng.random() < 0.6:  # so that only ctime tells
        os.utime(path, (5, 5))


def attributes(path, rng):
    if os.path.islink(path) or not os.path.exists(path):
        return
    what = rng.randrange(3)
    if what == 0:
        os.chmod(path, rng.choice([0o755, 0o700]))
    elif what == 1:
        os.chown(path, rng.choice([0, 7]), -1)
    else:
        os.setxattr(path, b"user.a", rng.choice([b"1", b"2"]))


def happen(tree, rng):
    path, other = somewhere(tree, rng), somewhere(tree, rng)
    keep = tree + b".kept"
    what = rng.randrange(9)
    if what == 0:
        remove(path)
    elif what == 1 and path.count(b"/") - tree.count(b"/") < 4:
        remove(path)
        os.mkdir(path)
    elif what == 2:
        remove(path)
        os.symlink(rng.choice([b"p", b"q"]), path)
    elif what == 3:
        attributes(path, rng)
    elif what == 4 and os.path.lexists(path) and not os.path.lexists(keep):
        os.rename(path, keep)  # gone for a while,
    elif what == 5 and os.path.lexists(keep) and not os.path.lexists(other):
        os.rename(keep, other)  # and back, perhaps elsewhere
    elif what == 6 and os.path.isdir(path) and os.path.isdir(other) and \
            not (path + b"/").startswith(other + b"/") and \
            not (other + b"/").startswith(path + b"/"):
        os.rename(path, keep + b"2")
        os.rename(other, path)
        os.rename(keep + b"2", other)
    else:
        write(path, rng)


# -- What there was -----------------------------------------------------------

def state(path):
    """All that a version is; None where nothing is."""
    st = os.lstat(path)
    own = [st.st_mode, st.st_uid, st.st_gid, st.st_mtime_ns]
    own += [(n, os.getxattr(path, n, follow_symlinks=False)) for n in
            os.listxattr(path, follow_symlinks=False)]
    if stat.S_ISLNK(st.st_mode):
        return own, os.readlink(path)
    if stat.S_ISDIR(st.st_mode):
        return own, [(n, state(os.path.join(path, n)))
                     for n in sorted(os.listdir(path))]
    with open(path, "rb") as f:
        return own, st.st_size, f.read()


def all_states(snapshots):
    """For each path its state at every snapshot, by its number."""
    times = sorted(os.listdir(snapshots))
    paths = {}
    for number, time in enumerate(times):
        root = os.path.join(snapshots, time)
        for top, dirs, files in os.walk(root):
            for name in [b""] * (top == root) + dirs + files:
                path = os.path.join(top, name)
                below = os.path.relpath(path, root)
                paths.setdefault(below, {})[number] = state(path)
    return times, paths


def ending(name):
    dot = name.rfind(b".")
    if dot < 1 or not all(chr(c).isalnum() or c in b"_-+~"
                          for c in name[dot + 1:]):
        return b""
    if name[:dot].endswith(b".tar") and dot > 4:
        dot -= 4
    return name[dot:] if len(name) - dot <= 20 else b""


def expect(times, states):
    """The names of the versions of a path, and of which snapshot each is."""
    now, found = None, []
    for number in range(len(times)):
        if number in states and states[number] != now:
            now = states[number]
            found.append(number)
    return found


def check_path(top, times, path, states, names):
    versions = os.path.normpath(os.path.join(top, b"versions", path))
    wanted, files = {}, set()
    for number in expect(times, states):
        is_file = stat.S_ISREG(states[number][0][0])
        name = times[number] + (ending(os.path.basename(path))
                                if is_file else b"")
        wanted[name] = number
        if not stat.S_ISDIR(states[number][0][0]):
            files.add(name)
    listed = [e.name for e in os.scandir(os.path.join(versions, b".versions"))]
    assert listed == sorted(wanted), (path, listed, sorted(wanted))
    for name, number in wanted.items():
        for at in b".versions/" + name, name, times[number]:
            got = state(os.path.join(versions, at))
            assert got == states[number], (path, at, got, states[number])
    listed = [e.name for e in os.scandir(versions)]
    assert listed == sorted(files) + sorted(names), (path, listed, files, names)
    return len(wanted)


def check(top):
    times, paths = all_states(os.path.join(top, b"snapshots"))
    n = 0
    for path, states in paths.items():
        names = {os.path.basename(p) for p in paths
                 if p != b"." and os.path.dirname(p) ==
                 (b"" if path == b"." else path)}
        n += check_path(top, times, path, states, names)
    print(f"{len(times)} snapshots, {len(paths)} paths, {n} versions")


if sys.argv[1] == "change":
    rng = random.Random(int(sys.argv[3]))
    for _ in range(rng.choice([1, 2, 4])):
        happen(os.fsencode(sys.argv[2]), rng)
else:
    check(os.fsencode(sys.argv[2]))
