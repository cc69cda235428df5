#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Many snapshots leave few index segments to open, and what those know is known.
. "${top_srcdir:-.}/tests/lib.sh"

snapshots=150 # 12 segments make one of level 1, 12 of those one of level 2

yore init -q -r repo --no-passphrase
mkdir src
for i in $(seq $snapshots); do
	head -c 3000 /dev/urandom >"src/file$i"
	yore backup -q -r repo --source first src
done

levels=$(find repo/idx -type f -printf '%f\n' | cut -c1 | sort | uniq -c |
	awk '{printf "%s:%s ", $2, $1}')
[ "$levels" = "0:$snapshots 1:12 2:1 " ] || fail "segments: $levels"

# all content is known, through every level
yore backup -r repo --source second --json src >summary
stored=$(sed -n 's/.*"new_bytes": *\([0-9]*\).*/\1/p' summary | tail -n 1)
[ "$stored" = 0 ] || fail "content that was known is stored again: $stored"

# merged segments whose directories are damaged: the ones they were made of
# are read instead
for f in repo/idx/[12]-*; do
	damage "$f" $(($(stat -c %s "$f") - 40))
done
yore backup -r repo --source third --json src >summary 2>warnings
stored=$(sed -n 's/.*"new_bytes": *\([0-9]*\).*/\1/p' summary | tail -n 1)
[ "$stored" = 0 ] || fail "content that was known is stored again: $stored"
[ "$(grep -c 'going on without it' warnings)" = 13 ] || fail "$(cat warnings)"
yore restore -q -r repo third@latest restored
diff -r src restored
