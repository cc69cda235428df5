#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every kind of file keeps what it is, and its number survives a remount.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

numbers() {
	find "$mnt" -maxdepth 8 -path '*/broken/dir' -prune -o \
		-printf '%i %P\n' | grep -v ' \.yore' | sort -k2
}

start points=3
cd "$home/kinds" || exit 1
is 'block special file 103:11170' "$(stat -c '%F %t:%T' device)" device
is fifo "$(stat -c %F fifo)" fifo
is socket "$(stat -c %F socket)" socket
is 6755 "$(stat -c %a setuid)" setuid
is "$(stat -c '%i 2' link-a)" "$(stat -c '%i %h' link-b)" 'a hard link'
is '-86400 5000000000' "$(stat -c '%Y %Z' old)" 'times out of the ordinary'
is .123456789 "$(stat -c %y old | grep -o '\.[0-9]*')" nanoseconds
is 4095 "$(readlink symlink | tr -d '\n' | wc -c)" 'a long symlink'
is 1 "$(find . -name 'n*' | grep -c '^./n\{255\}$')" 'a long name'
is ' 2e 2f ff fe 20 6e 6f 74 20 55 54 46 2d 38 0a 00' \
	"$(find . -perm 600 -type f -print0 | od -An -tx1 | head -n1)" \
	'a name that is not text'

# a hole of a TiB: blocks, and what can be found without reading
is '1099511627776 128' "$(stat -c '%s %b' sparse)" 'a sparse file'
python3 - <<'END' || fail 'holes'
import os
f = os.open('sparse', os.O_RDONLY)
assert os.lseek(f, 0, os.SEEK_DATA) == 1 << 20
assert os.lseek(f, 1 << 20, os.SEEK_HOLE) == (1 << 20) + 65536
assert os.pread(f, 10, (1 << 20) - 5)[:5] == bytes(5) != os.pread(f, 5, 1 << 20)
try:
    os.lseek(f, 2 << 20, os.SEEK_DATA)
    assert False
except OSError as e:
    assert e.errno == 6
END

# a file that its view gives in many small pieces is one file
cd ..
is "$(python3 -c 'import sys; sys.stdout.buffer.write(
	open("pieces", "rb").read())' | md5sum)" \
	"$(dd if=pieces bs=4k status=none | md5sum)" 'a file in pieces'
is 3000000 "$(wc -c <pieces)" 'and its length'

cd / || exit 1
numbers >"$scratch/before"
# one number, one file: only trees seen at several paths share theirs
is '' "$(grep ' sources/[^/]*/[^/]*/snapshots/' "$scratch/before" |
	grep -v '/link-[ab]$' | cut -d' ' -f1 | sort | uniq -d)" \
	'numbers used twice'
stop
start points=3
numbers | cmp - "$scratch/before" || fail 'other numbers after a remount'
stop
