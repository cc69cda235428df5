#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints what the other decoder reads in tests/unit/format_vectors.h."""
import re
import struct
import sys

from decode import KNOWN, parse_record
from pages import Page, Reader
from states import parse_state


def shown(value):
    if isinstance(value, bytes):
        return value.hex() if len(value) > 15 else repr(value)[1:]
    if hasattr(value, "pack"):
        return "%d:%s+%d+%d[%d+%d]=%s" % (
            value.object, value.pack[:1].hex(), value.off, value.len,
            value.chunk_off, value.chunk_len, value.id[:1].hex())
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s %s" % (k, shown(v))
                                  for k, v in value.items())
    return str(value)


def record(data):
    rec = parse_record(data)
    rec["root"] = Page(rec["root"]).items[0]
    return [{k: rec[k] for k in KNOWN.values() if rec.get(k) is not None}]


def catalog(data):
    r = Reader(data)
    items = [{"id": r.take(16), "hash": r.take(32), **record(r.blob())[0]}
             for _ in range(r.varint())]
    r.end()
    return items


def xattrs(data):
    r = Reader(data)
    while r.left():
        yield {"name": r.blob(), "value": r.blob()}


def solid(data):
    return [{"lengths and count": struct.unpack(">3I", data)}]


READ = {"STATE": lambda data: [parse_state(data)], "RECORD": record, "CATALOG": catalog, "XATTRS": xattrs, "SOLID": solid}
text = open(sys.argv[1], encoding="ascii").read()
for name, lines in re.findall(r"VECTOR_(\w+) ((?:\\\n\t\"\w+\"\s)+)", text):
    data = bytes.fromhex("".join(re.findall(r'"(\w+)"', lines)))
    print(name, len(data))
    if name in READ:
        items = READ[name](data)
    elif name in ("LEAF", "INNER", "ROOT", "EXTENTS", "EXTENTS_INNER"):
        items = Page(data).items
    else:
        continue  # decode.py reads these in repo-1
    for item in items:
        print("   ", shown(item))
