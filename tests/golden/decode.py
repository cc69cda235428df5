#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a repository of format version 1, from repo/FORMAT alone.

    decode.py [--password-file F | --key-file F] [--places] REPO

Prints every snapshot with every entry, its attributes and the SHA-256 of its
content, and checks on the way all that FORMAT promises: chunk ids, tables of
contents against frames, index against packs, the chain of records, catalogs
against records.  What is wrong ends it with a line and status 1.

One line an entry:
    type permissions owner:group links node link size blocks mtime ctime rdev
    sha256 path
then, indented, a symlink's target, holes, extended attributes, totals.

With --places it prints what each frame that snapshots need is needed for:
    object offset length snapshot content|xattrs|entries path [first last]
"entries" are those of directory path from the name first to the name last.

Needs python3-cryptography and python3-zstandard."""
import argparse
import hashlib
import os
import re
import struct
import sys

import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from objects import F_CATALOG, F_INDEX, F_RECORD, Object, Pack, hkdf, mac
from pages import (CATALOG, DATA, EXTENTS, INDEX, LEAF, META, RECORD, ROOT,
                   Damaged, Page, Reader, need, pairs_of)
from states import print_states

# -- The repository ------------------------------------------------------------

class Repository:
    def __init__(self, path, secret):
        self.path = path
        self.names = sorted(os.path.relpath(os.path.join(d, f), path)
                            for d, _, fs in os.walk(path) for f in fs)
        self.names = [n for n in self.names if not n.startswith("tmp/")]
        head = self.read("format")
        need(len(head) <= 4096 and head.startswith(b"yore-repository 1\n"),
             "format: not version 1")
        lines = [x.partition(" ") for x in head.decode().split("\n")[1:-1]]
        self.head = {k: v for k, _, v in lines}
        need(not self.head.get("must-read"), "format: unknown features")
        need(lines[-1][0] == "mac" and head.endswith(b"\n"), "format: no mac")
        self.id = bytes.fromhex(self.head["id"])
        self.slots = {}
        root = self.unlock(secret)
        self.key = {x: hkdf(root, self.id, b"yore/1/" + x) for x in
                    (b"id", b"cut", b"pack", b"index", b"record", b"cache",
                     b"delta", b"page")}
        covered = head[:head.rindex(b"mac ")]
        need(mac(self.key[b"record"], covered).hex() == self.head["mac"],
             "format: its mac is wrong")
        self.packs = {}

    def read(self, name):
        with open(os.path.join(self.path, name), "rb") as f:
            return f.read()

    def below(self, prefix):
        return [n for n in self.names if n.startswith(prefix)]

    def chunk_id(self, kind, data):
        return mac(self.key[b"id"], bytes([kind]),
                   struct.pack(">Q", len(data)), data)[:20]

    def unlock(self, secret):
        """secret: (slot type, bytes).  The open slot needs none."""
        root = None
        for name in self.below("keys/"):
            slot = self.read(name)
            need(len(slot) == 132 and slot[:10] == b"YORESLOT\0\1", name)
            kind, log_n, r, p = struct.unpack(">BBII", slot[10:20])
            salt = slot[20:52]
            self.slots[name] = ("open", "passphrase", "key file")[kind]
            if kind == 1:
                need(15 <= log_n <= 20 and r == 8 and 1 <= p <= 4, name)
            else:
                need((log_n, r, p) == (0, 0, 0), name)
            if kind == 0:
                ikm = b"yore/1/open-slot"
            elif secret and secret[0] == kind:
                ikm = secret[1]
            else:
                continue
            if kind == 1:
                stretched = hashlib.scrypt(
                    ikm, salt=b"yore/1/slot" + self.id + salt, n=1 << log_n,
                    r=r, p=p, maxmem=(1 << 31) - 1, dklen=64)
            else:
                stretched = hkdf(ikm, self.id + salt, b"yore/1/slot", 64)
            kek, kc = stretched[:32], stretched[32:]
            if mac(kc, slot[:100]) != slot[100:]:
                need(secret and secret[0] == kind, name)
                continue
            opened = AESGCM(kek).decrypt(bytes(12), slot[52:100], slot[:52])
            need(root in (None, opened), name + ": another secret")
            root = opened
        need(root, "no slot opens")
        return root

    def load_packs(self):
        for kind, folder in ((DATA, "data/"), (META, "meta/")):
            for name in self.below(folder):
                pack = at(name, Pack, self, name, kind)
                need(name == "%s%s/%s" % (folder, pack.id.hex()[:2],
                                          pack.id.hex()), name)
                self.packs[kind, pack.id] = pack

    def chunk(self, ref, kind):
        pack = self.packs[ref.object, ref.pack]
        found = pack.chunks.get((ref.off, ref.chunk_off))
        need(found == (ref.id, ref.chunk_len, ref.len), "hint against pack")
        plain = pack.frame(ref.off)[2]
        data = plain[ref.chunk_off:ref.chunk_off + ref.chunk_len]
        need(self.chunk_id(kind, data) == ref.id, "a chunk's id")
        return data

    def page(self, ref):
        return Page(self.chunk(ref, 2))

    def items(self, page, leaf, note=None, depth=0, leaves=None):
        """All entries or extents below a page, in order.  note is told of
        each page below, with what it holds."""
        need(depth < 12, "a map is too deep")
        leaves = leaves if leaves is not None else {}
        if page.kind == leaf:
            need(leaves.setdefault("depth", depth) == depth,
                 "leaves are not equally deep")
            if leaf == LEAF:
                need(leaves.get("name", b"") < page.items[0]["name"],
                     "names of two pages are not in order")
                leaves["name"] = page.items[-1]["name"]
            yield from page.items
            return
        need(page.kind == leaf + 1, "a page of the wrong kind")
        for c in page.items:
            below = list(self.items(self.page(c["ref"]), leaf, note,
                                    depth + 1, leaves))
            if note:
                note(c["ref"], below)
            need(len(below) == c["n"], "entries of a child")
            if leaf == LEAF:
                need(below[0]["name"] == c["name"], "a child's first name")
                need(sum_totals(self, below) == c["totals"], "child's totals")
            else:
                need(below[0]["off"] == c["off"], "a child's first offset")
                need(sum(x["length"] for x in below) == c["length"],
                     "bytes of a child")
            yield from below

    def extents(self, e):
        if e["content"] != 3:
            return []
        xs = list(self.items(self.page(e["ref"]), EXTENTS))
        need(xs[0]["off"] == 0, "a file begins behind 0")
        need(sum(x["length"] for x in xs) == e["size"], "extents and size")
        return xs

    def content(self, e):
        """Pieces of a file's bytes."""
        if e["content"] == 1:
            yield e["data"]
        elif e["content"] == 2:
            yield self.chunk(e["ref"], 1)
        for x in self.extents(e):
            if not x["hole"]:
                yield self.chunk(x["ref"], 1)
                continue
            for done in range(0, x["length"], 1 << 20):
                yield bytes(min(1 << 20, x["length"] - done))

    def check_interior(self, e, content):
        """What lies there once more is what the file has."""
        off = 0
        for x in self.items(self.page(e["interior"]), EXTENTS):
            need(x["off"] == off, "a gap in the map of interior pages")
            off += x["length"]
            need(x["hole"] or self.chunk(x["ref"], 1) == content[x["off"]:off],
                 "interior pages that the file has not")
        need(off == e["size"], "interior pages and size")

    def xattrs(self, e):
        data = e["xattrs"]
        if e["xattrs_ref"]:
            data = self.chunk(e["xattrs_ref"], 3)
        return pairs_of(data)


# what foreign bytes may come to here
WRONG = (Damaged, LookupError, ValueError, OverflowError, RecursionError,
         struct.error, zstandard.ZstdError)


def at(name, what, *args):
    try:
        return what(*args)
    except WRONG as e:
        raise Damaged("%s: %s" % (name, e)) from e


def sum_totals(repo, entries):
    """What a directory with these entries says of itself."""
    t = dict(entries=0, files=0, bytes=0, newest=0, flags=0)
    for e in entries:
        own = e.get("totals") or dict(entries=0, files=0, bytes=0, newest=0,
                                      flags=0)
        t["entries"] += 1 + own["entries"]
        t["files"] += (e["type"] == "f") + own["files"]
        t["bytes"] += own["bytes"] + (e["size"] if e["type"] == "f" else 0)
        for s, ns in (e["mtime"], e["ctime"]):
            if 0 <= s < ((1 << 63) - 1) // 10 ** 9:
                t["newest"] = max(t["newest"], s * 10 ** 9 + ns)
        t["newest"] = max(t["newest"], own["newest"])
        t["flags"] |= own["flags"]
        names = [n for n, _ in repo.xattrs(e)]
        if names:
            t["flags"] |= 1
        if e["xattrs_ref"] or any(n.startswith(b"system.posix_acl_")
                                  for n in names):
            t["flags"] |= 2
    t["bytes"] = min(t["bytes"], (1 << 63) - 1)
    return t


# -- Records, catalogs, index -----------------------------------------------------

KNOWN = {1: "host", 3: "name", 5: "seq", 7: "time", 8: "began",
         9: "generation", 10: "ended", 11: "root", 12: "previous",
         14: "page", 15: "epoch", 16: "tag", 17: "original",
         18: "next_link", 20: "errors", 22: "path", 24: "database",
         26: "continuity", 30: "gc", 32: "scattered"}


def parse_record(data):
    r, rec = Reader(data), dict(tag=[], page=None, path=b"")
    while r.left():
        tag, value = r.varint(), r.blob()
        need(tag in KNOWN or not tag & 1, "a newer record: field %d" % tag)
        name = KNOWN.get(tag)
        number = Reader(value)
        if name in ("seq", "generation", "next_link", "errors", "gc"):
            value = number.varint()
            number.end()
        elif name in ("time", "began", "ended"):
            value = number.svarint()
            number.end()
        elif name in ("tag", "path"):
            need(len(value) <= (200 if name == "tag" else 16384)
                 and b"\0" not in value, "a string")
        if name == "database":
            size = number.varint()
            need(512 <= size <= 65536 and size & size - 1 == 0
                 and number.varint() < (1 << 32) - 1, "a database")
            number.take(16)
            number.end()
        if name == "epoch":
            value = number.varint(), number.varint()
            need(1 <= value[0] <= 9999 and 1 <= value[1] <= 9999999, "epoch")
            number.end()
        need(name != "original" or len(value) == 32, "original")
        if name == "scattered":
            for k in range(65):
                if not number.left():
                    break
                need(k < 64, "too many stretches")
                number.take(16)
                number.varint()
                number.varint()
        if name == "continuity":
            need(1 <= len(value) <= 4096, "continuity")
        if name == "tag":
            rec["tag"].append(value)
        elif name:
            need(rec.get(name) in (None, b""), "a field twice")
            rec[name] = value
    rec.setdefault("next_link", 1)
    need(1 <= rec["generation"] <= rec["seq"], "generation")
    need(("epoch" in rec) == ("original" in rec)
         and ("epoch" not in rec or "database" in rec), "an epoch")
    for name in (rec["host"], rec["name"]):
        need(1 <= len(name) <= 255 and b"/" not in name and b"\0" not in name
             and name not in (b".", b".."), "host or name")
    return rec


class Record(Object):
    def __init__(self, repo, name):
        super().__init__(repo, name, RECORD)
        frames = list(self.frames(len(self.data)))
        need(len(frames) == 1 and frames[0][1] == F_RECORD, "its frames")
        self.plain = frames[0][3]
        rec = self.rec = parse_record(self.plain)
        source = mac(repo.key[b"record"], b"source", rec["host"], b"\0",
                     rec["name"])[:10].hex()
        need(re.fullmatch(r"snap/%s/%012d-\d{8}T\d{6}Z-%s" % (
            source, rec["seq"], self.id.hex()), name), "its name")
        need(rec["page"] is None or 0 < len(rec["page"]) <= 3072, "its page")
        self.hash = hashlib.sha256(self.data).digest()
        # what the next record says; how many deltas there are
        self.link = rec.get("original", self.hash)
        self.epoch, self.deltas = rec.get("epoch", (0, None))


def kept_by_catalog(rec, stripped):
    """Of a record, or (stripped) of what a catalog has of it."""
    root = Page(rec["root"]).items[0]
    ref, xattrs = root.pop("ref", None), root.pop("xattrs_ref")
    need(not stripped or not (rec.get("began") or rec.get("ended") or
                              rec["page"]), "fields no catalog has")
    need(not stripped or not ref or not any(ref.id + ref.pack) and
         ref.off == ref.len == ref.chunk_off == ref.chunk_len == 0,
         "the place of the root page")
    return {**{k: rec.get(k) for k in ("host", "name", "seq", "time",
                                       "generation", "previous", "tag",
                                       "errors", "path", "database", "epoch",
                                       "original")},
            "root": root,
            "xattrs": xattrs and [getattr(xattrs, k)
                                  for k in xattrs.__slots__]}


def load_records(repo):
    records = [at(n, Record, repo, n) for n in repo.below("snap/")]
    records.sort(key=lambda r: (r.rec["host"], r.rec["name"], r.rec["seq"],
                                r.epoch))
    # the highest epoch of a number is all there is of it
    records = [r for r, after in zip(records, records[1:] + [None])
               if not after or [r.rec[k] for k in ("host", "name", "seq")] !=
               [after.rec[k] for k in ("host", "name", "seq")]]
    last = None
    for r in records:
        first = not last or [last.rec[k] for k in ("host", "name")] != \
            [r.rec[k] for k in ("host", "name")]
        need(r.rec["previous"] == (bytes(32) if first else last.link),
             r.name + ": the chain is broken")
        last = r
    return records


def check_catalogs(repo, records):
    """The newest catalogs say which records there are, as is."""
    have, numbers = {}, {}
    for name in repo.below("cat/"):
        need(re.fullmatch(r"cat/\d{12}-[ft]-[0-9a-f]{32}", name), name)
        numbers[name] = 999999999999 - int(name[4:16])
    full = max((n for name, n in numbers.items() if name[17] == "f"),
               default=0)
    for name in (name for name, n in numbers.items() if n == (
            full if name[17] == "f" else max(numbers.values()))):
        o = Object(repo, name, CATALOG)
        plain = b""
        for _, kind, _, part, _ in o.frames(len(o.data)):
            need(kind == F_CATALOG, name)
            plain += part
        r = Reader(plain)
        for _ in range(r.varint()):
            ident, sha, rec = r.take(16), r.take(32), parse_record(r.blob())
            have[ident] = ident, sha, kept_by_catalog(rec, True)
        r.end()
    own = {r.id: (r.id, r.hash, kept_by_catalog(r.rec, False))
           for r in records}
    need(not have or have == own, "the catalogs say otherwise")
    return have


def check_index(repo):
    """Every chunk of every pack is in the index, and where the index says; a
    segment has all that those it supersedes have."""
    segments, superseded = {}, {}
    for name in repo.below("idx/"):
        need(re.fullmatch(r"idx/\d+-\d{12}-[0-9a-f]{32}", name), name)
        o = Object(repo, name, INDEX)
        dir_off, (kind, _, plain, _) = o.trailer()
        need(kind == F_INDEX, name)
        r = Reader(plain)
        n_entries = r.varint()
        need(n_entries <= int(name[4:].split("-")[1]), name + ": its name")
        packs = [(r.u8(), r.take(16)) for _ in range(r.varint())]
        pages = [(r.take(12), r.varint(), r.varint())
                 for _ in range(r.varint())]
        superseded[o.id] = [r.take(16) for _ in range(r.varint())]
        r.end()
        found = []
        for off, kind, _, page, length in o.frames(dir_off):
            r = Reader(page)
            n = r.varint()
            need(kind == F_INDEX and 1 <= n <= 512, name)
            keys = [r.take(12) for _ in range(n)]
            columns = [[r.varint() for _ in range(n)] for _ in range(5)]
            r.end()
            need(pages.pop(0) == (keys[0], off, length), name)
            found += zip(keys, *columns)
        need(not pages and len(found) == n_entries, name)
        need([f[0] for f in found] == sorted({f[0] for f in found}), name)
        for key, pack, off, length, chunk_off, chunk_len in found:
            chunk = repo.packs[packs[pack]].chunks.get((off, chunk_off))
            need(chunk and (chunk[0][:12], chunk[1], chunk[2]) ==
                 (key, chunk_len, length), name + ": a place")
        segments[o.id] = {f[0] for f in found}
    places = set().union(*segments.values())
    for ident, others in superseded.items():
        for other in others:
            need(segments.get(other, set()) <= segments[ident],
                 "segment %s lacks what it supersedes" % ident.hex())
    for pack in repo.packs.values():
        for ident, _, _ in pack.chunks.values():
            need(ident[:12] in places, pack.name + ": not in the index")
    return len(places)


# -- The listing ----------------------------------------------------------------

def escape(name):
    return "".join(chr(c) if 0x20 < c < 0x7F and c != 0x5C else "\\x%02x" % c
                   for c in name)


def moment(t):
    seconds, ns = t
    return "%d.%09d" % (seconds, ns)


class Lines:
    """Prints lines; with places, what frames are needed for."""

    def __init__(self, places):
        self.places, self.snapshot = places, ""
        self.links, self.next_link = {}, 0

    def line(self, *words):
        if not self.places:
            print(*words)

    def need(self, ref, what, *words):
        if self.places:
            folder = "data" if ref.object == DATA else "meta"
            print("%s/%s/%s" % (folder, ref.pack.hex()[:2], ref.pack.hex()),
                  ref.off, ref.len, self.snapshot, what, *map(escape, words))

    def link(self, e):
        """Names of one file have all in common but the name."""
        need(e["link"] < self.next_link, "a link number beyond the last")
        same = [v for k, v in sorted(e.items())
                if k not in ("name", "ref", "xattrs_ref", "interior")]
        same += [e[k] and e[k].id
                 for k in ("ref", "xattrs_ref", "interior") if k in e]
        need(self.links.setdefault(e["link"], same) == same,
             "two files of one link number")

    def entry(self, repo, e, path):
        def pages(ref, _):
            self.need(ref, "content", path)

        if e["xattrs_ref"]:
            self.need(e["xattrs_ref"], "xattrs", path)
        if e["type"] == "d" or e["content"] < 2:
            return
        self.need(e["ref"], "content", path)
        if e["content"] == 3:
            for x in repo.items(repo.page(e["ref"]), EXTENTS, pages):
                if not x["hole"]:
                    self.need(x["ref"], "content", path)


def print_entry(repo, e, path, node, out):
    out.entry(repo, e, path)
    if e["link"]:
        out.link(e)
    digest = "-"
    if e["type"] == "f":
        h, size = hashlib.sha256(), 0
        for piece in repo.content(e):
            h.update(piece)
            size += len(piece)
        need(size == e["size"], "content and size")
        digest = h.hexdigest()
        if e.get("interior"):
            repo.check_interior(e, b"".join(repo.content(e)))
    out.line(e["type"], "%04o" % e["perm"], "%d:%d" % (e["uid"], e["gid"]),
          e["nlink"], node, e["link"], e["size"], e["blocks"],
          moment(e["mtime"]), moment(e["ctime"]), e["rdev"], digest,
          escape(path))
    if e["type"] == "l":
        out.line("    to", escape(e["data"]))
    holes = []
    for x in repo.extents(e) if e["type"] == "f" else ():
        if x["hole"] and holes and sum(holes[-1]) == x["off"]:
            holes[-1][1] += x["length"]
        elif x["hole"]:
            holes.append([x["off"], x["length"]])
    for off, length in holes:
        out.line("    hole", off, length)
    for name, value in repo.xattrs(e):
        if len(value) > 64:
            value = hashlib.sha256(value).digest()
        out.line("    xattr", escape(name), value.hex() or "-")
    if e["type"] == "d":
        out.line("    below", *e["totals"].values())


def walk(repo, e, path, node, out, page=None):
    def note(ref, below):
        out.need(ref, "entries", path, below[0]["name"], below[-1]["name"])

    at(escape(path), print_entry, repo, e, path, node, out)
    if e["type"] != "d" or e["content"] == 0:
        need(e["type"] != "d" or page is None, "a page of nothing")
        return
    stored = repo.page(e["ref"])
    need(page in (None, repo.chunk(e["ref"], 2)), "the root page in a record")
    need(node or (page is None) == (e["ref"].chunk_len > 3072), "root page")
    entries = list(repo.items(stored, LEAF, note))
    if page is None:
        note(e["ref"], entries)
    need(sum_totals(repo, entries) == e["totals"], "%s: totals" % path)
    node += 1
    for child in entries:
        walk(repo, child, path + b"/" + child["name"], node, out)
        node += 1 + child.get("totals", {}).get("entries", 0)


def print_snapshot(repo, record, out):
    r = record.rec
    out.snapshot = record.id.hex()
    out.next_link = r["next_link"]
    out.line("snapshot", escape(r["host"] + b"/" + r["name"]), r["seq"],
          r["time"], record.id.hex(), *map(escape, sorted(r["tag"])))
    root = Page(r["root"])
    need(root.kind == ROOT and root.items[0]["type"] == "d", "no root")
    walk(repo, root.items[0], b".", 0, out, r["page"])
    out.line()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--password-file")
    p.add_argument("--key-file")
    p.add_argument("--places", action="store_true")
    p.add_argument("repository")
    o = p.parse_args()
    secret = None
    if o.password_file or o.key_file:
        with open(o.password_file or o.key_file, "rb") as f:
            secret = (2, f.read()) if o.key_file else \
                (1, f.read().removesuffix(b"\n"))
    sys.setrecursionlimit(10000)
    try:
        repo = Repository(o.repository, secret)
        repo.load_packs()
        records = load_records(repo)
        listed = check_catalogs(repo, records)
        indexed = check_index(repo)
        for record in records:
            at(record.name, print_snapshot, repo, record, Lines(o.places))
        print_states(repo)
    except WRONG as e:
        sys.exit("%s: %s" % (o.repository, e))
    print("%s: %d packs, %d chunks in the index, %d of %d records in the "
          "catalog, slots: %s" % (
              repo.head["id"], len(repo.packs), indexed, len(listed),
              len(records), ", ".join(sorted(repo.slots.values()))),
          file=sys.stderr)


if __name__ == "__main__":
    main()
