#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""agree.py ACCEPTS CORPORA: both decoders take, or refuse, the same bytes.

The bytes are the fuzzing corpora of pages, records and states, as they are and with some
bytes changed (always the same ones); ACCEPTS is the program of accepts.c."""
import os
import random
import subprocess
import sys
import tempfile

from decode import WRONG, parse_record
from pages import ROOT, Page, need
from states import parse_state

CHANGED = 12  # of each


def page(data):
    Page(data)


def record(data):
    root = Page(parse_record(data)["root"])
    need(root.kind == ROOT and root.items[0]["type"] == "d", "no root")


def accepts(read, data):
    try:
        read(data)
        return True
    except WRONG:
        return False


def changed(data, some):
    data = bytearray(data)
    for _ in range(some.choice((1, 1, 2, 3))):
        if data:
            i = some.randrange(min(len(data), some.choice((8, 64, 4096))))
            data[i] = some.choice((data[i] ^ 1 << some.randrange(8), 0, 255,
                                   data[i] + 1 & 255, some.randrange(256)))
    return bytes(data)


def inputs(corpus):
    some = random.Random(1)
    for name in sorted(os.listdir(corpus)):
        with open(os.path.join(corpus, name), "rb") as f:
            data = f.read()
        yield data
        for _ in range(CHANGED):
            yield changed(data, some)


def main():
    program, corpora = sys.argv[1:]
    for kind, read in (("page", page), ("record", record),
                       ("gc", parse_state)):
        every = list(inputs(os.path.join(corpora, kind)))
        with tempfile.TemporaryDirectory() as work:
            os.chdir(work)
            for i, data in enumerate(every):
                with open(str(i), "wb") as f:
                    f.write(data)
            ours = subprocess.run(
                [program, kind] + [str(i) for i in range(len(every))],
                stdout=subprocess.PIPE, check=True).stdout.split()
            os.chdir("/")
        differ = [(data, ok == b"1") for data, ok in zip(every, ours)
                  if accepts(read, data) != (ok == b"1")]
        print(kind, len(every), "inputs,", ours.count(b"1"), "accepted")
        for data, ok in differ[:5]:
            print("repo/format %s it: %s" % (
                "takes" if ok else "refuses", data.hex()))
        if differ or len(ours) != len(every) or b"1" not in ours:
            sys.exit("%d differ" % len(differ))


main()
