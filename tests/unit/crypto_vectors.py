#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Known answers for FORMAT's keys, slots, frames and chunk ids, computed from
the text alone: Python's hashlib, AES by the openssl command.  Prints
tests/unit/crypto_vectors.h; crypto_vectors.sh compares."""
import hashlib
import hmac
import struct
import subprocess

REPOSITORY_ID = bytes(range(0x00, 0x10))
ROOT = bytes(range(0x20, 0x40))
OBJECT_ID = bytes(range(0xA0, 0xB0))
SALT = bytes(range(0x40, 0x60))
KEY_FILE = bytes(range(64))
PASSPHRASE = b"correct horse"
PLAIN = b"The quick brown fox jumps over the lazy dog"
# one zstd frame: 100 times 'a' as one block of a repeated byte
ZSTD_100_A = bytes.fromhex("28b52ffd206423030061")


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf(ikm, salt, info, length):
    prk, out, block = mac(salt, ikm), b"", b""
    while len(out) < length:
        block = mac(prk, block + info + bytes([len(out) // 32 + 1]))
        out += block
    return out[:length]


def aes(key, blocks):
    return subprocess.run(
        ["openssl", "enc", "-aes-256-ecb", "-nopad", "-K", key.hex()],
        input=blocks, stdout=subprocess.PIPE, check=True).stdout


def ghash(h, data):
    """GHASH of NIST SP 800-38D, bit by bit."""
    h, y = int.from_bytes(h, "big"), 0
    for i in range(0, len(data), 16):
        y ^= int.from_bytes(data[i:i + 16], "big")
        z, v = 0, h
        for bit in range(127, -1, -1):
            if y >> bit & 1:
                z ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y.to_bytes(16, "big")


def pad(data):
    return data + bytes(-len(data) % 16)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def gcm(key, nonce, aad, plain):
    n = (len(plain) + 15) // 16
    stream = aes(key, b"".join(
        nonce + struct.pack(">I", i) for i in range(1, n + 2)))
    sealed = xor(plain, stream[16:])
    lengths = struct.pack(">QQ", 8 * len(aad), 8 * len(sealed))
    tag = ghash(aes(key, bytes(16)), pad(aad) + pad(sealed) + lengths)
    return sealed + xor(tag, stream[:16])


def k(x):
    return hkdf(ROOT, REPOSITORY_ID, b"yore/1/" + x, 32)


def object_key(object_type):
    x = [None, b"pack", b"pack", b"index", b"record", b"record"][object_type]
    return hkdf(k(x), OBJECT_ID, REPOSITORY_ID + bytes([object_type]), 32)


def slot(slot_type, log_n, r, p, stretched):
    head = struct.pack(">8sHBBII32s", b"YORESLOT", 1, slot_type, log_n, r, p,
                       SALT)
    body = head + gcm(stretched[:32], bytes(12), head, ROOT)
    return body + mac(stretched[32:], body)


def slots():
    salt, label = REPOSITORY_ID + SALT, b"yore/1/slot"
    yield "open", slot(0, 0, 0, 0, hkdf(b"yore/1/open-slot", salt, label, 64))
    yield "scrypt", slot(1, 15, 8, 1, hashlib.scrypt(
        PASSPHRASE, salt=label + salt, n=2**15, r=8, p=1, dklen=64,
        maxmem=2**26))
    yield "keyfile", slot(2, 0, 0, 0, hkdf(KEY_FILE, salt, label, 64))


def frame(object_type, offset, kind, codec, flags, packed, plain_len):
    prefix = struct.pack(">BBBBIII", kind, codec, flags, 0xF5,
                         len(packed) + 16, plain_len, 0)
    aad = REPOSITORY_ID + OBJECT_ID + bytes([object_type]) + prefix
    return prefix + gcm(object_key(object_type), struct.pack(">IQ", 0, offset),
                        aad, packed)


def chunk_id(kind, data):
    return mac(k(b"id"), struct.pack(">BQ", kind, len(data)) + data)[:20]


def cut_table(label, n):
    blocks = b"".join(mac(k(b"cut"), label + struct.pack(">I", i))
                      for i in range((n + 3) // 4))
    return blocks[:8 * n]


def c_array(name, data):
    print("\nstatic const uint8_t %s[%d] = {" % (name, len(data)))
    for i in range(0, len(data), 12):
        print("\t" + " ".join("0x%02x," % b for b in data[i:i + 12]))
    print("};")


def main():
    print("/* SPDX-License-Identifier: GPL-2.0-or-later */")
    print("/* Made by crypto_vectors.py; frozen. */")
    print("#ifndef YORE_TESTS_CRYPTO_VECTORS_H")
    print("#define YORE_TESTS_CRYPTO_VECTORS_H\n\n#include <stdint.h>")
    c_array("vector_repository_id", REPOSITORY_ID)
    c_array("vector_root", ROOT)
    c_array("vector_object_id", OBJECT_ID)
    c_array("vector_key_file", KEY_FILE)
    for x in (b"id", b"cut", b"pack", b"index", b"record", b"cache"):
        c_array("vector_k_" + x.decode(), k(x))
    for object_type in range(1, 6):
        c_array("vector_object_key_%d" % object_type, object_key(object_type))
    for name, data in slots():
        c_array("vector_slot_" + name, data)
    c_array("vector_packed", PLAIN)
    c_array("vector_frame_raw", frame(1, 64, 1, 0, 1, PLAIN, len(PLAIN)))
    c_array("vector_frame_far", frame(4, 2**32 + 5, 5, 0, 0, PLAIN,
                                      len(PLAIN)))
    c_array("vector_frame_empty", frame(3, 64, 4, 0, 0, b"", 0))
    c_array("vector_zstd_100_a", ZSTD_100_A)
    c_array("vector_frame_zstd", frame(2, 64, 2, 1, 0, ZSTD_100_A, 100))
    c_array("vector_chunk_id_data", chunk_id(1, PLAIN))
    c_array("vector_chunk_id_page", chunk_id(2, PLAIN))
    c_array("vector_chunk_id_empty", chunk_id(1, b""))
    c_array("vector_source_key",
            mac(k(b"record"), b"source" + b"web1\0home-ann")[:10])
    c_array("vector_header_mac", mac(k(b"record"), PLAIN))
    c_array("vector_sha256", hashlib.sha256(PLAIN).digest())
    c_array("vector_cut_table", cut_table(b"gear", 6))
    print("\n#endif")


main()
