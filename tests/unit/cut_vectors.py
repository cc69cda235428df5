#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Known answers for FORMAT's "Cutting", computed from the text alone.  Prints
tests/unit/cut_vectors.h; crypto_vectors.sh compares.

Content: SHA-256 of u32 0, 1, 2, ..., joined.  Directory: empty files "file-%06u",
alike but for their inode numbers, 1000 and following."""
import hashlib
import hmac
import struct

REPOSITORY_ID = bytes(range(0x00, 0x10))
ROOT = bytes(range(0x20, 0x40))
CONTENT_HASHES = 98304
ENTRIES = 8000
MIN, MEAN, MAX = 65536, 262144, 524288
U64 = (1 << 64) - 1


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def key_of(x):
    return mac(mac(REPOSITORY_ID, ROOT), b"yore/1/" + x + b"\1")


def table(label):
    blocks = b"".join(mac(key_of(b"cut"), label + struct.pack(">I", i))
                      for i in range(64))
    return struct.unpack(">256Q", blocks)


def chunk_lengths(data):
    """Byte by byte; a hash forgets what is 64 bytes away by itself."""
    gear, even, turn = table(b"gear"), U64 // MEAN, MEAN * 13 // 16
    begin = 0
    while begin < len(data):
        h, n = 0, MIN - 64
        limit = min(MAX, len(data) - begin)
        while n < limit:
            h = (h << 1) + gear[data[begin + n]] & U64
            n += 1
            if n >= MIN and h < (even // 4 if n <= turn else even * 4):
                break
        n = min(n, limit)
        yield n
        begin += n


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def entry(name, before, ino_step, first):
    shared = 0
    while before[:shared + 1] == name[:shared + 1] and shared < len(before):
        shared += 1
    same = 0 if first else 0x18
    return (varint(shared) + varint(len(name) - shared) + name[shared:] +
            varint(0x20 | same) +
            (varint(0o644) + varint(1000) + varint(100) if first else b"") +
            varint(2 * ino_step) +
            varint(2 * 1700000000 if first else 0) + varint(5) + varint(0))


def pages():
    """(entries, bytes) of each leaf."""
    values, body, n, before, last = table(b"page"), b"", 0, b"", 0

    def page():
        return n, b"\1" + varint(n) + b"\0\0" + body

    for i in range(ENTRIES):
        name = b"file-%06u" % i
        body += entry(name, before, 1000 + i - last, not n)
        n, before, last = n + 1, name, 1000 + i
        h = 0
        for b in name:
            h = (h << 7 & U64 | h >> 57) ^ values[b]
        h ^= h >> 32
        length = 16 + len(body)
        if length >= 98304 or (length >= 12288 and n > 1 and h % 512 == 0):
            yield page()
            body, n, before, last = b"", 0, b"", 0
    if n:
        yield page()


def numbers(name, values):
    print("\nstatic const uint32_t %s[%d] = {" % (name, len(values)))
    for i in range(0, len(values), 6):
        print("\t" + " ".join("%d," % v for v in values[i:i + 6]))
    print("};")


def main():
    content = b"".join(hashlib.sha256(struct.pack(">I", i)).digest()
                       for i in range(CONTENT_HASHES))
    leaves = list(pages())
    first = leaves[0][1]
    ident = mac(key_of(b"id"), struct.pack(">BQ", 2, len(first)) + first)[:20]
    print("/* SPDX-License-Identifier: GPL-2.0-or-later */")
    print("/* Made by cut_vectors.py; frozen. */")
    print("#ifndef YORE_TESTS_CUT_VECTORS_H")
    print("#define YORE_TESTS_CUT_VECTORS_H\n\n#include <stdint.h>\n")
    print("#define VECTOR_CONTENT_HASHES %d" % CONTENT_HASHES)
    print("#define VECTOR_ENTRIES %d" % ENTRIES)
    numbers("vector_chunk_lens", list(chunk_lengths(content)))
    numbers("vector_page_entries", [n for n, _ in leaves])
    print('\n#define VECTOR_PAGE_ID "%s"' % ident.hex())
    print("\n#endif")


main()
