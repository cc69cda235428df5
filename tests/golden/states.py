# SPDX-License-Identifier: GPL-2.0-or-later
"""States of pruning (FORMAT, "States of pruning"), for decode.py."""
import hashlib
import re

from objects import F_GC, Object
from pages import DATA, GC, META, Reader, need

LISTS = {7: "condemned", 9: "sentenced", 11: "gone", 13: "lost"}


def parse_list(name, value):
    r, items = Reader(value), []
    while r.left():
        item = [r.u8(), r.take(16)]
        need(item[0] in (DATA, META), "a pack of another type")
        if name == "condemned":
            item.append(r.varint())
        if name == "lost":
            off, length = r.varint(), r.varint()
            need(off == length == 0 or
                 64 <= off < 1 << 48 and 32 <= length <= (16 << 20) + 32,
                 "a frame outside its pack")
            item += [off, length]
        items.append(item)
    order = [item[:2 if name != "lost" else 3] for item in items]
    need(all(a < b for a, b in zip(order, order[1:])), "the order of a list")
    need(len(items) <= 1 << 20, "a list is too long")
    return items


def parse_state(data):
    need(len(data) <= 64 << 20, "a state is too long")
    r, state = Reader(data), {}
    while r.left():
        tag, value = r.varint(), r.blob()
        name = {1: "n", 3: "time", 5: "previous", **LISTS}.get(tag)
        need(name or not tag & 1, "a newer state: field %d" % tag)
        need(name is None and tag >= 64 or tag not in state, "a field twice")
        state[tag] = None
        if name in ("n", "time"):
            number = Reader(value)
            state[name] = number.varint() if name == "n" else number.svarint()
            number.end()
        elif name == "previous":
            need(len(value) == 32, "a hash")
            state[name] = value
        elif name:
            state[name] = parse_list(name, value)
    state = {k: v for k, v in state.items() if isinstance(k, str)}
    need({"n", "time", "previous"} <= set(state), "a field is missing")
    need(1 <= state["n"] <= 999999999999, "the number of a state")
    condemned = state.get("condemned", [])
    need(all(1 <= since <= state["n"] for _, _, since in condemned), "since")
    need(all(s in [c[:2] for c in condemned]
             for s in state.get("sentenced", [])), "sentenced, not condemned")
    return state


def load_states(repo):
    """Of all states that are there, the oldest first."""
    last = None
    for name in sorted(repo.below("gc/"), reverse=True):
        if name.startswith(("gc/snap/", "gc/end/")):
            continue
        need(re.fullmatch(r"gc/\d{12}", name), name)
        o = Object(repo, name, GC, named=False)
        plain = b""
        for _, kind, _, part, _ in o.frames(len(o.data)):
            need(kind == F_GC, name)
            plain += part
        state = parse_state(plain)
        need(state["n"] == 999999999999 - int(name[3:]), name + ": number")
        need(last is None or last[0] != state["n"] - 1
             or last[1] == state["previous"], name + ": the chain is broken")
        need(state["n"] > 1 or state["previous"] == bytes(32), name)
        last = state["n"], hashlib.sha256(o.data).digest()
        yield state


def print_states(repo):
    for state in load_states(repo):
        print("state", state["n"])
        for name in LISTS.values():
            for kind, pack, *more in state.get(name, []):
                print("   ", name, "data" if kind == DATA else "meta",
                      pack.hex(), *more)
