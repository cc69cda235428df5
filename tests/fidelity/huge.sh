#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sparse files of 1 TiB are backed up, shown in a mount and restored by their
# data alone, in seconds: nobody reads or writes what is a hole.
. "${top_srcdir:-.}/tests/fidelity/same.sh" || exit 1

# islands FILE: its size, and each stretch of data with its SHA-256
islands() {
	python3 - "$1" <<'END'
import hashlib, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
size, off = os.fstat(fd).st_size, 0
print(size)
while off < size:
    try:
        begin = os.lseek(fd, off, os.SEEK_DATA)
    except OSError:  # a hole up to the end
        break
    off = os.lseek(fd, begin, os.SEEK_HOLE)
    assert off - begin < 64 << 20, "much data"
    data = os.pread(fd, off - begin, begin)
    print(begin, off, hashlib.sha256(data).hexdigest())
END
}

put() { # FILE OFFSET BYTES
	head -c "$3" /dev/urandom | dd of="$1" bs=64K oflag=seek_bytes \
		seek="$2" conv=notrunc status=none
}

mkdir tree mnt
truncate -s 1T tree/nothing tree/ends tree/islands 2>/dev/null ||
	{ echo 'no files of 1 TiB on this file system'; exit 77; }
put tree/ends 0 100000
put tree/ends $(((1 << 40) - 5000)) 5000
for i in {1..300}; do put tree/islands $((i * 3500003328)) $((i * 40)); done
put tree/islands 1000000000000 700000
sync tree/*
for f in nothing ends islands; do islands tree/$f >$f.source; done
[ "$(wc -l <islands.source)" = 302 ] || fail 'the file system keeps no holes'

make_repository
SECONDS=0
yore backup -q --host h --source t tree
yore restore -q h/t new
for f in nothing ends islands; do
	islands new/$f >$f.restored
	same $f.source $f.restored
done
# (a file system's own bookkeeping of islands varies a little)
[ "$(du -sk new | cut -f1)" -lt 5000 ] || fail "$(du -k new/*)"
[ "$(du -sk repo | cut -f1)" -lt 5000 ] || fail "$(du -sk repo)"
if [ -w /dev/fuse ]; then
	mount_yore mnt
	for f in nothing ends islands; do
		islands mnt/latest/h/t/$f >$f.mounted
		same $f.source $f.mounted
	done
fi
[ $SECONDS -lt 30 ] || fail "$SECONDS s"
