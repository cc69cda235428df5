# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether what check names is what cannot be read, and nothing else."""

import json


def findings(text):
    """What `yore check --json` printed: findings, what they touch, the sum."""
    lines = [json.loads(line) for line in text.splitlines()]
    return ([x for x in lines if x["type"] == "finding"],
            [x for x in lines if x["type"] == "touched"],
            [x for x in lines if x["type"] == "check"][0])


def read(text):
    """What `reads` printed: {(id, path): whether it is lost}."""
    out = {}
    for line in text.splitlines():
        state, ident, path = line.split("\t", 2)
        out[ident, path] = state == "lost"
    return out


def below(path, directory):
    return directory == "." or path == directory or \
        path.startswith(directory + "/")


def explains(t, ident, path):
    """Whether something touched is why that cannot be read."""
    if t["part"] == "points":
        base, _, n = ident.partition("-")
        return base == t["id"] and n and t["first"] <= int(n) <= t["last"]
    if t["part"] == "snapshot":  # with the points that build on it
        return ident.partition("-")[0] == t["id"]
    if ident != t["id"]:
        return False
    if t["part"] == "entries":
        return below(path, t["path"])
    return path == t["path"]


def compare(touched, reads):
    """Sentences that say what does not fit."""
    wrong = []
    lost = [k for k, is_lost in reads.items() if is_lost]
    for ident, path in lost:
        if not any(explains(t, ident, path) for t in touched):
            wrong.append(f"{ident}:{path} is lost and was not named")
    for t in touched:
        named = [k for k in lost if explains(t, *k)]
        if not named:
            wrong.append(f"named and can be read: {t}")
        if t["part"] == "points":
            want = t["last"] - t["first"] + 1
            if len(named) != want:
                wrong.append(f"{want} points named, {len(named)} lost: {t}")
    return wrong
