#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A backup leaves the page cache to others: big files are read past it, packs
# are written past it.  What is read like that is right wherever it begins and
# ends, and what is cached is taken from there.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

# Out of the page cache, what was written on the disk.
drop() {
	dd of="$1" oflag=nocache conv=notrunc,fdatasync count=0 2>/dev/null
}
cached() { fincore -bnr -o RES "$@" | awk '{ n += $1 } END { print n + 0 }'; }

mkdir tree
head -c 40000123 /dev/urandom >tree/big
drop tree/big
if ! dd if=tree/big of=/dev/null iflag=direct bs=1M count=1 2>/dev/null ||
	[ "$(cached tree/big)" != 0 ]; then
	echo 'this file system has no O_DIRECT, or no page cache to drop'
	exit 77
fi

make_repository
yore backup -q --host h --source t tree
at_most "$(cached tree/big)" 1048576 'bytes cached of the file that was read'
mapfile -t packs < <(find repo/data -type f -size +8M)
[ ${#packs[@]} -gt 0 ] || fail 'no big packs'
at_most "$(cached "${packs[@]}")" $((${#packs[@]} * 1048576)) 'bytes cached of what was written'
yore cat h/t:big | cmp - tree/big || fail 'other bytes'

# what begins and ends anywhere, with holes
for i in 0 1 511 4095 4096 1048577; do
	rm -f tree/big
	truncate -s $((20000000 + i)) tree/big
	head -c $((5000000 + i)) /dev/urandom |
		dd of=tree/big bs=1M seek=$((1000 + i)) oflag=seek_bytes \
			conv=notrunc 2>/dev/null
	head -c 6000001 /dev/urandom |
		dd of=tree/big bs=1M seek=$((12000000 + i * 3)) \
			oflag=seek_bytes conv=notrunc 2>/dev/null
	drop tree/big
	yore backup -q --host h --source t tree
	yore cat h/t:big | cmp - tree/big || fail "other bytes, $i"
done

# half of it cached
head -c 40000000 /dev/urandom >tree/big
drop tree/big
head -c 20000000 tree/big >/dev/null
yore backup -q --host h --source t tree
yore cat h/t:big | cmp - tree/big || fail 'other bytes, half of them cached'
