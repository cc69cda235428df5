#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sealed objects, their frames, and packs (FORMAT, "Frames", "Objects",
"Packs"), for decode.py."""
import hashlib
import hmac
import struct

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pages import (CATALOG, DATA, GC, INDEX, META, RECORD, Damaged, Reader,
                   need)

F_DATA, F_PAGES, F_TOC, F_INDEX, F_RECORD, F_CATALOG = 1, 2, 3, 4, 5, 6
F_GC = 11
LABEL = {DATA: b"pack", META: b"pack", INDEX: b"index",
         RECORD: b"record", CATALOG: b"record", GC: b"record"}


def hkdf(ikm, salt, info, length=32):
    return HKDF(hashes.SHA256(), length, salt, info).derive(ikm)


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


class Object:
    """A sealed object: its header is checked, frames are read by offset."""

    def __init__(self, repo, name, kind, named=True):
        self.repo, self.name = repo, name
        data = self.data = repo.read(name)
        need(len(data) >= 64 and data[:8] == b"YOREOBJ\n", "no object")
        need(data[8:16] == struct.pack(">HBBI", 1, kind, 0, 0)
             and not any(data[48:64]), "not version 1, or another type")
        need(data[32:48] == repo.id, "of another repository")
        self.id, self.kind = data[16:32], kind
        need(not named or name.endswith(self.id.hex()),
             "not the object its name says")
        key = hkdf(repo.key[LABEL[kind]], self.id, repo.id + bytes([kind]))
        self.aes = AESGCM(key)
        self.cache = {}

    def frame(self, off):
        """(type, flags, plaintext, length) of the frame at an offset."""
        if off in self.cache:
            return self.cache[off]
        prefix = self.data[off:off + 16]
        kind, codec, flags, marker, body_len, plain_len, zero = \
            struct.unpack(">BBBBIII", prefix)
        need(marker == 0xF5 and zero == 0 and codec < 2 and flags < 2
             and 1 <= kind <= 11, "a frame's prefix")
        need(plain_len <= 16 << 20 and 16 <= body_len <= plain_len + 16,
             "a frame's lengths")
        body = self.data[off + 16:off + 16 + body_len]
        aad = self.repo.id + self.id + bytes([self.kind]) + prefix
        try:
            packed = self.aes.decrypt(struct.pack(">IQ", 0, off), body, aad)
        except InvalidTag as e:
            raise Damaged("frame at %d does not verify" % off) from e
        if codec:
            need(packed[:4] == b"\x28\xb5\x2f\xfd", "no zstd frame")
            p = zstandard.get_frame_parameters(packed)
            need(p.content_size == plain_len and not p.dict_id, "zstd frame")
            d = zstandard.ZstdDecompressor().decompressobj()
            plain = d.decompress(packed)
            need(d.eof and not d.unused_data, "not one whole zstd frame")
        else:
            plain = packed
        need(len(plain) == plain_len, "a frame's plain length")
        self.cache[off] = kind, flags, plain, 16 + body_len
        return self.cache[off]

    def frames(self, end):
        off = 64
        while off < end:
            kind, flags, plain, length = self.frame(off)
            yield off, kind, flags, plain, length
            off += length
        need(off == end, "frames do not fill the object")

    def trailer(self):
        """Offset and plaintext of the last frame, by the trailer."""
        off, length, zero, magic = struct.unpack(">QII8s", self.data[-24:])
        need(magic == b"YOREEND\n" and zero == 0, "no trailer")
        need(off + length + 24 == len(self.data), "the trailer's place")
        frame = self.frame(off)
        need(frame[3] == length, "the trailer's length")
        return off, frame


class Pack(Object):
    """chunks: {(frame offset, chunk offset): (id, length, frame length)}"""

    def __init__(self, repo, name, kind):
        super().__init__(repo, name, kind)
        toc_off, (frame_type, _, toc, _) = self.trailer()
        need(frame_type == F_TOC, "no table of contents")
        self.chunks = {}
        r = Reader(toc)
        n_frames, n_chunks = r.varint(), r.varint()
        lens = []
        for _ in range(n_frames):
            head = r.u8(), r.varint(), r.varint()
            lens.append((head, [r.varint() for _ in range(r.varint())]))
        keys = [r.take(12) for _ in range(n_chunks)]
        r.end()
        for off, kind_, flags, plain, length in self.frames(toc_off):
            head, chunks = lens.pop(0)
            need(head == (kind_, length, len(plain)), "toc against frame")
            need(kind_ == (F_DATA if kind == DATA else F_PAGES), "frame type")
            self.frame_chunks(off, flags, plain, length, chunks, keys)
        need(not lens and not keys, "toc has more than the pack")

    def frame_chunks(self, off, flags, plain, length, lens, keys):
        if flags & 1:
            need(self.kind == DATA, "a solid frame of pages")
            n, = struct.unpack(">I", plain[-4:])
            table = plain[len(plain) - 4 - 4 * n:-4]
            need(list(struct.unpack(">%dI" % n, table)) == lens, "solid table")
            need(sum(lens) + 4 * n + 4 == len(plain), "solid lengths")
        else:
            need(lens == [len(plain)], "a frame that is one chunk")
        at = 0
        for n in lens:
            data = plain[at:at + n]
            types = (1,) if self.kind == DATA else (2, 3)
            key = keys.pop(0)
            ids = [self.repo.chunk_id(t, data) for t in types]
            found = [i for i in ids if i[:12] == key]
            need(found, "a chunk is not what its key says")
            self.chunks[off, at] = found[0], n, length
            at += n
