# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers and pages of sorted maps (FORMAT, "Sorted maps", "Directory
entries"), for decode.py."""

DATA, META, INDEX, RECORD, CATALOG = 1, 2, 3, 4, 5  # object types
GC = 7
LEAF, INNER, EXTENTS, EXTENTS_INNER, ROOT = 1, 2, 3, 4, 5  # kinds of pages


class Damaged(Exception):
    pass


def need(ok, why):
    if not ok:
        raise Damaged(why)


class Reader:
    def __init__(self, data):
        self.data, self.pos = data, 0

    def left(self):
        return len(self.data) - self.pos

    def take(self, n):
        need(n <= self.left(), "ends too early")
        self.pos += n
        return self.data[self.pos - n:self.pos]

    def u8(self):
        return self.take(1)[0]

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                need(byte or not shift, "a varint is not the shortest")
                need(value < 1 << 64, "a varint is over 64 bits")
                return value
            shift += 7

    def svarint(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def blob(self):
        return self.take(self.varint())

    def end(self):
        need(not self.left(), "goes on behind its end")


def signed(value):
    """The sum of differences, modulo 2^64."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


class Ref:
    __slots__ = "id object pack off len chunk_off chunk_len".split()


class Page:
    """kind, and items: entries (dicts), extents or children."""

    def __init__(self, data):
        r = self.r = Reader(data)
        need(len(data) <= 512 << 10, "a page is too long")
        self.kind = r.u8()
        need(LEAF <= self.kind <= ROOT, "a page of no known kind")
        n, n_packs, n_ids = r.varint(), r.varint(), r.varint()
        off = r.varint() if self.kind in (EXTENTS, EXTENTS_INNER) else 0
        self.packs = [r.take(16) for _ in range(n_packs)]
        need(20 * n_ids <= r.left(), "more ids than the page has room for")
        ids = data[len(data) - 20 * n_ids:] if n_ids else b""
        r.data = data[:len(data) - len(ids)]
        self.ids = [ids[i:i + 20] for i in range(0, len(ids), 20)]
        self.hint = {DATA: None, META: None}
        self.before = {True: (0, 0, 0), False: (0, 0, 0)}
        self.name, self.ino, self.mtime, self.ctime = b"", 0, 0, 0
        need(n > 0 and (n == 1 or self.kind != ROOT), "number of entries")
        read = {LEAF: self.entry, ROOT: self.entry, EXTENTS: self.extent,
                INNER: self.child, EXTENTS_INNER: self.child}[self.kind]
        self.items = []
        for _ in range(n):
            item = read(off)
            off += item.get("length", 0)
            self.items.append(item)
        r.end()
        need(not self.ids, "ids are left over")

    def ref(self, kind, length=None):
        r, last = self.r, self.hint[kind]
        ref = Ref()
        ref.object, ref.id = kind, self.ids.pop(0)
        flags = r.varint()
        need(flags < 16 and (last or not flags & 3), "a hint's flags")
        if flags & 1:
            need(flags < 4, "a hint's flags")
            ref.pack, ref.off, ref.len = last.pack, last.off, last.len
            ref.chunk_off = last.chunk_off + last.chunk_len \
                if flags & 2 else r.varint()
        else:
            need(not flags & 4 or flags & 2, "a hint's flags")
            ref.pack = last.pack if flags & 2 else self.packs[r.varint()]
            ref.off = last.off + last.len if flags & 4 else r.varint()
            ref.len = r.varint()
            ref.chunk_off = 0 if flags & 8 else r.varint()
        ref.chunk_len = r.varint() if length is None else length
        need(ref.off <= 1 << 48 and ref.len <= 17 << 20
             and ref.chunk_off + ref.chunk_len <= 16 << 20, "a place")
        self.hint[kind] = ref
        return ref

    def next_name(self):
        shared = self.r.varint()
        need(shared <= len(self.name), "shares more than there is")
        name = self.name[:shared] + self.r.blob()
        if self.kind == ROOT:
            need(not name, "a root has a name")
            return name
        need(1 <= len(name) <= 255 and name not in (b".", b"..")
             and b"/" not in name and b"\0" not in name, "a bad name")
        need(name > self.name, "names are not in order")
        self.name = name
        return name

    def totals(self):
        r = self.r
        t = dict(entries=r.varint(), files=r.varint(), bytes=r.varint(),
                 newest=r.svarint(), flags=r.u8())
        need(t["files"] <= t["entries"] <= 1 << 38 and t["bytes"] < 1 << 63,
             "totals")
        return t

    def entry(self, _):
        r, e = self.r, {}
        e["name"] = self.next_name()
        flags = r.varint()
        need(flags < 0x2000 and flags & 7 < 7, "an entry's flags")
        e["type"] = "fdlcbps"[flags & 7]
        isdir = e["type"] == "d"
        perm, uid, gid = self.before[isdir]
        if not flags & 8:
            perm = r.varint()
        if not flags & 0x10:
            uid, gid = r.varint(), r.varint()
        need(perm < 0o10000 and max(uid, gid) < 1 << 32, "mode or owner")
        self.before[isdir] = e["perm"], e["uid"], e["gid"] = perm, uid, gid
        e["ino"] = self.ino = (self.ino + r.svarint()) % (1 << 64)
        self.mtime = self.ctime_if(e, "mtime", self.mtime)
        if flags & 0x20:
            e["ctime"], self.ctime = e["mtime"], self.mtime
        else:
            self.ctime = self.ctime_if(e, "ctime", self.ctime)
        size = e["size"] = r.varint()
        e["blocks"] = 0 if e["type"] == "l" else (size + 4095) // 4096 * 8
        if flags & 0x800:
            e["blocks"] = r.varint()
        e["nlink"], e["link"] = (2 if isdir else 1), 0
        if flags & 0x40:
            e["nlink"], e["link"] = r.varint(), r.varint()
        need(max(size, e["blocks"]) < 1 << 63 and e["nlink"] < 1 << 32
             and e["link"] < (1 if isdir else 1 << 38), "size or links")
        e["rdev"] = r.varint() if e["type"] in "cb" else 0
        e["content"] = flags >> 7 & 3
        self.content(e, size)
        e["xattrs"], e["xattrs_ref"] = b"", None
        need(flags & 0x600 != 0x600, "extended attributes in two places")
        if flags & 0x200:
            e["xattrs"] = r.blob()
            need(len(e["xattrs"]) <= 256, "long extended attributes inline")
        elif flags & 0x400:
            e["xattrs_ref"] = self.ref(META)
        if isdir:
            e["totals"] = self.totals()
            need((e["content"] == 3) == (e["totals"]["entries"] > 0),
                 "totals against content")
        if flags & 0x1000:
            self.extension(e, r.blob())
        return e

    def extension(self, e, data):
        r = Reader(data)
        while r.left():
            tag, field = r.varint(), Reader(r.blob())
            if tag != 2:
                continue
            need(e["type"] == "f" and e["content"] == 3
                 and "interior" not in e,
                 "interior pages of what has no map")
            ref = e["interior"] = Ref()
            ref.object, ref.id, ref.pack = META, field.take(20), field.take(16)
            ref.off, ref.len = field.varint(), field.varint()
            ref.chunk_off, ref.chunk_len = field.varint(), field.varint()
            field.end()
            need(ref.off <= 1 << 48 and ref.len <= 17 << 20
                 and ref.chunk_len <= 512 << 10
                 and ref.chunk_off + ref.chunk_len <= 16 << 20, "a place")

    def ctime_if(self, e, which, before):
        seconds = signed(before + self.r.svarint())
        ns = self.r.varint()
        need(ns < 10 ** 9, "nanoseconds")
        e[which] = (seconds, ns)
        return seconds

    def content(self, e, size):
        kind, kind_of = e["content"], e["type"]
        if kind == 0:
            need(kind_of != "l" and (kind_of != "f" or not size), "no content")
        elif kind == 1:
            need(size <= {"f": 128, "l": 4095}.get(kind_of, -1), "inline")
            e["data"] = self.r.take(size)
            need(kind_of != "l" or b"\0" not in e["data"], "a NUL in a target")
        elif kind == 2:
            need(kind_of == "f" and size, "one chunk of what is no file")
            e["ref"] = self.ref(DATA, size)
        else:
            need(kind_of == "d" or kind_of == "f" and size, "a map of nothing")
            e["ref"] = self.ref(META)

    def extent(self, off):
        value = self.r.varint()
        x = dict(off=off, length=value >> 1, hole=value & 1)
        need(0 < x["length"] < (1 << 63) - off, "an extent's length")
        if not x["hole"]:
            x["ref"] = self.ref(DATA, x["length"])
        return x

    def child(self, off):
        c = dict(n=self.r.varint(), off=off)
        if self.kind == INNER:
            c["name"] = self.next_name()
            c["totals"] = self.totals()
        else:
            c["length"] = self.r.varint()
            need(c["length"] < (1 << 63) - off, "bytes of a child")
        c["ref"] = self.ref(META)
        most = c["totals"]["entries"] if self.kind == INNER else c["length"]
        need(0 < c["n"] <= most and c["ref"].chunk_len <= 512 << 10, "a child")
        return c


def pairs_of(data):
    """Extended attributes: (name, value), in order."""
    need(len(data) <= 1 << 20, "long extended attributes")
    r, pairs = Reader(data), []
    while r.left():
        pairs.append((r.blob(), r.blob()))
        need(1 <= len(pairs[-1][0]) <= 255 and b"\0" not in pairs[-1][0],
             "the name of an extended attribute")
    need(pairs == sorted(pairs) and len(dict(pairs)) == len(pairs),
         "extended attributes out of order")
    return pairs
