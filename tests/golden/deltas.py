#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the databases of a repository (FORMAT, "Databases", "Deltas"), from
FORMAT alone.

    deltas.py REPO

Prints each point: source, seq of its base, number of its delta, time, pages,
SHA-256 of the whole.  On the way every delta is compared with what all others
say of it: pages with places and sets, spans with chains, times with records,
states with hashes.  What is wrong ends it with a line and status 1.

Needs what decode.py needs."""
import hashlib
import struct
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from decode import WRONG, Repository, at, load_records
from objects import F_DATA, Object, hkdf, mac
from pages import LEAF, Page, Reader, need

DELTA = 6
F_DELTA, F_PLACES, F_SET, F_TIMES = 7, 8, 9, 10
NUMBER_MAX = 999999999999


def before(n):
    digit = 7
    while n and not n & digit:
        digit <<= 3
    return n & ~digit


def state_of(r):
    s = r.varint(), r.varint(), r.take(16)
    r.end()
    need(512 <= s[0] <= 65536 and s[0] & s[0] - 1 == 0, "page size")
    return s


class Delta(Object):
    """A delta whose header says what its trailer and its name make it be."""

    def __init__(self, repo, name, base):
        self.repo, self.name, self.kind, self.cache = repo, name, DELTA, {}
        data = self.data = repo.read(name)
        need(data[:16] == b"YOREOBJ\n" + struct.pack(">HBBI", 1, DELTA, 0, 0)
             and data[32:48] == repo.id and not any(data[48:64]), "header")
        self.n = NUMBER_MAX - int(name.split("/")[-1])
        need(data[-56:-40] == base.id, "of another base")
        self.writer = data[-40:-24]
        self.id = mac(repo.key[b"delta"], b"delta", self.writer, base.id,
                      struct.pack(">Q", self.n))[:16]
        need(data[16:32] == self.id, "an id that does not follow")
        self.aes = AESGCM(hkdf(repo.key[b"delta"], self.id,
                               repo.id + bytes([DELTA])))
        self.record_off, (kind, _, plain, _) = self.trailer()
        need(kind == F_DELTA, "no record")
        self.plain = plain
        self.read_record(Reader(plain))
        need([f[1] for f in self.frames(len(data) - 56)] == sorted(
            (f[1] for f in self.frames(len(data) - 56)),
            key=[F_DATA, F_TIMES, F_PLACES, F_SET, F_DELTA].index), "order")

    def trailer(self):
        off, length, zero, magic = struct.unpack(">QII8s", self.data[-24:])
        need(magic == b"YOREEND\n" and not zero
             and off + length + 56 == len(self.data), "trailer")
        return off, self.frame(off)

    def read_record(self, r):
        f = {}
        while r.left():
            tag, value = r.varint(), r.blob()
            need(tag not in f, "a field twice")
            need(tag <= 17 or not tag & 1, "a newer delta")
            f[tag] = Reader(value)
        n, self.time = f[1].varint(), f[3].svarint()
        need(n == self.n, "its number")
        self.size, self.pages, self.hash = state_of(f[5])
        self.previous = f[7].take(32)
        ids = f[9].take(f[9].left())
        self.writers = [ids[i:i + 16] for i in range(0, len(ids), 16)]
        need(self.writers[0] == self.writer, "writer 0")
        self.chain, n = [], before(self.n)
        while n:
            self.chain.append((n, [f[11].varint() for _ in range(7)]))
            n = before(n)
        f[11].end()
        self.base_page = f[13].take(f[13].left())
        self.closed = 20 in f
        self.tail = [len(self.data), len(self.data) - self.record_off, 0, 0,
                     self.frame(self.record_off)[3]]
        self.read_places(f[15])
        self.read_times(f[17])

    def leaves(self, r, kind, head):
        """(what head reads, plaintext) of each leaf."""
        if r.u8() == 0:
            return [(None, r.take(r.left()))], None
        off, out = r.varint(), []
        first = off
        while r.left():
            what, length = head(r), r.varint()
            got = self.frame(off)
            need(got[0] == kind and got[3] == length, "a leaf")
            out.append((what, got[2]))
            off += length
        return out, (first, off)

    def read_places(self, r):
        leaves, span = self.leaves(r, F_PLACES, Reader.varint)
        self.places, page = {}, 0
        for skip, plain in leaves:
            first = self.read_leaf(plain)
            page += skip or 0
            need(skip is None or first == page, "a leaf's first page")
        if not span:
            return
        kind, _, bits, length = self.frame(span[1])
        need(kind == F_SET and span[1] + length == self.record_off, "set")
        self.tail[2:] = [length, span[1] - span[0], self.frame(span[0])[3]]
        for p in self.places:
            i = p - 1 >> bits[0]
            need(bits[1 + i // 8] >> i % 8 & 1, "the set lacks page %d" % p)

    def read_leaf(self, plain):
        n_blocks, = struct.unpack(">H", plain[:2])
        table = [struct.unpack(">II", plain[2 + 8 * i:10 + 8 * i])
                 for i in range(n_blocks)]
        data = plain[2 + 8 * n_blocks:]
        ends = [off for _, off in table[1:]] + [len(data)]
        for (page, off), end in zip(table, ends):
            self.read_block(Reader(data[off:end]), page)
        return table[0][0] if table else None

    def read_block(self, r, page):
        n = off = length = writer = None
        while r.left():
            flags = r.u8()
            page += r.varint()
            count = 1 if flags & 16 else r.varint()
            if not flags & 3:
                n, writer = self.n - r.varint(), r.varint()
            if not flags & 13:
                off = r.varint()
            elif flags & 8:
                off += length
            if not flags & 5:
                length = r.varint()
            slot = 0 if flags & 33 else r.varint()
            for i in range(count):
                need(page not in self.places and 0 < page <= self.pages
                     and page > max(self.places, default=0), "runs")
                self.places[page] = None if flags & 1 else \
                    (n, writer, off, length, slot + i)
                page += 1

    def read_times(self, r):
        leaves, _ = self.leaves(r, F_TIMES,
                                lambda r: (r.varint(), r.svarint()))
        self.times, n, time, number = [], 0, 0, before(self.n) + 1
        for head, plain in leaves:
            r, last = Reader(plain), [0, 0]
            if head:
                n, time = n + head[0], time + head[1]
                need(n == number, "a leaf's first number")
            while r.left():
                last[0] += r.svarint()
                writer = self.writers[r.varint()]
                last[1] += r.svarint()
                need(not head or n != number or last[0] == time,
                     "a leaf's first time")
                self.times.append((number, last[0], writer, last[1],
                                   r.varint(), r.varint()))
                number += 1
        need(number == self.n, "times of all but itself")

    def pages_of(self):
        """{page: (frame offset, sealed length, slot, bytes)} of its own"""
        out = {}
        for off, kind, _, plain, length in self.frames(len(self.data) - 56):
            if kind != F_DATA:
                continue
            n, rest = divmod(len(plain), self.size + 4)
            need(n and not rest, "a frame of pages")
            numbers = struct.unpack(">%dI" % n, plain[n * self.size:])
            for slot, p in enumerate(numbers):
                out[p] = off, length, slot, \
                    plain[slot * self.size:(slot + 1) * self.size]
        return out


def hash_of(repo, size, pages):
    lock, total = (1 << 30) // size + 1, 0
    for p, data in enumerate(pages, 1):
        if p != lock:
            total += int.from_bytes(mac(repo.key[b"page"], struct.pack(
                ">I", p), data)[:16], "big")
    return (total % (1 << 128)).to_bytes(16, "big")


def check_against(d, all_, base_record):
    """What d says of others is what they say of themselves."""
    last = all_.get(d.n - 1)
    need(d.previous == (hashlib.sha256(last.plain).digest() if last
                        else base_record.hash), "the chain of records")
    need(d.time >= (last.time if last else base_record.time), "its time")
    upper = d.time
    for n, (writer, passed, *tail) in d.chain:
        o = all_[n]
        upper -= passed
        need((d.writers[writer], upper, tail) == (o.writer, o.time, o.tail),
             "its chain, at %d" % n)
    for n, time, writer, pages, length, tail in d.times:
        o = all_[n]
        need((time, writer, pages, length, tail) == (
            o.time, o.writer, o.pages, len(o.data),
            len(o.data) - o.record_off), "its times, at %d" % n)


def check_places(d, all_, own, zeros):
    """The newest of each page in the span."""
    want = {}
    for n in range(before(d.n) + 1, d.n + 1):
        want.update({p: None for p in zeros[n]})
        want.update({p: (n, all_[n].writer) + at_[:3]
                     for p, at_ in own[n].items()})
        want = {p: x for p, x in want.items() if p <= all_[n].pages}
    have = {p: x and (x[0], d.writers[x[1]]) + x[2:]
            for p, x in d.places.items()}
    need(have == want, "its places")


def replay(repo, record, print_point):
    root = Page(record.rec["root"]).items[0]
    entry, = repo.items(repo.page(root["ref"]), LEAF)
    size, n, total = state_of(Reader(record.rec["database"]))
    base = b"".join(repo.content(entry))
    need(entry["size"] == n * size and len(base) == n * size, "the base")
    pages = [base[i:i + size] for i in range(0, len(base), size)]
    need(hash_of(repo, size, pages) == total, "the base's hash")
    print_point(record, 0, record.time, pages)
    source = record.name.split("/")[1]
    epoch = "-%04d" % record.epoch if record.epoch else ""
    prefix = "db/%s/%012d%s/" % (source, record.rec["seq"], epoch)
    all_ = {d.n: d for d in (at(x, Delta, repo, x, record)
                             for x in repo.below(prefix))}
    need(sorted(all_) == list(range(1, len(all_) + 1)), "a gap")
    need(not record.epoch or (len(all_) == record.deltas
                              and all_[record.deltas].closed), "its deltas")
    own, zeros = {}, {}
    for n, d in sorted(all_.items()):
        need(d.size == size and Page(d.base_page).items[0]["name"]
             == entry["name"], "its base")
        need(not (n > 1 and all_[n - 1].closed), "after the end")
        own[n] = d.pages_of()
        zeros[n] = [p for p in range(len(pages) + 1, d.pages + 1)
                    if p not in own[n]]
        pages = pages[:d.pages] + [bytes(size)] * (d.pages - len(pages))
        for p, x in own[n].items():
            pages[p - 1] = x[3]
        at(d.name, check_against, d, all_, record)
        at(d.name, check_places, d, all_, own, zeros)
        need(hash_of(repo, size, pages) == d.hash, d.name + ": its hash")
        if not d.closed:
            print_point(record, n, d.time, pages)


def print_point(record, n, time, pages):
    print((record.rec["host"] + b"/" + record.rec["name"]).decode(),
          record.rec["seq"], n, time, len(pages),
          hashlib.sha256(b"".join(pages)).hexdigest())


def main():
    try:
        repo = Repository(sys.argv[1], None)
        repo.load_packs()
        for record in load_records(repo):
            if record.rec.get("database"):
                record.time = Reader(record.rec["time"]).svarint() \
                    if isinstance(record.rec["time"], bytes) \
                    else record.rec["time"]
                at(record.name, replay, repo, record, print_point)
    except WRONG as e:
        sys.exit("%s: %s" % (sys.argv[1], e))


if __name__ == "__main__":
    main()
