#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Databases read as ever, by deltas.py, written from FORMAT alone, and by our
# own code; those of a repository made now too, whose indexes are big.  In
# database-2 the first snapshot was thinned twice, by 10s:all and 30s:all.
set -eu
here=${top_srcdir:-.}/tests/golden
bin=$(realpath "${top_builddir:-.}")/tests/golden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=/dev/null PYTHONDONTWRITEBYTECODE=1
for python in python3 /usr/bin/python3 ''; do
	[ -n "$python" ] ||
		{ echo 'no python3-cryptography or -zstandard'; exit 77; }
	"$python" -c 'import cryptography, zstandard' 2>/dev/null && break
done

for repo in "$here"/database-?; do
	"$python" "$here/deltas.py" "$repo" | diff "$repo.txt" -
	"$bin/points" "$repo" | diff "$repo.txt" -
done
"$bin/databases" "$work/big" big
"$python" "$here/deltas.py" "$work/big" >"$work/points"
"$bin/points" "$work/big" | diff "$work/points" -
[ "$(wc -l <"$work/points")" = 81 ] ||
	{ wc -l <"$work/points"; exit 1; }

# thinned: fewer of them, and of other deltas
export XDG_STATE_HOME=$work/state
"$bin/../../yore" forget -q -r "$work/big" --thin=10s:all
export XDG_STATE_HOME=/dev/null
"$python" "$here/deltas.py" "$work/big" >"$work/fewer"
"$bin/points" "$work/big" | diff "$work/fewer" -
[ "$(wc -l <"$work/fewer")" = 19 ] || { wc -l <"$work/fewer"; exit 1; }
! diff <(cut -d' ' -f1,2,4- "$work/points") <(cut -d' ' -f1,2,4- "$work/fewer") |
	grep '^>'

# it notices: a byte less or another one
cp -r "$here/database-1" "$work/damaged"
chmod -R u+w "$work/damaged"
one=$(find "$work/damaged/db" -type f | sort | sed -n 5p)
printf x | dd of="$one" bs=1 seek=70 conv=notrunc status=none
! "$python" "$here/deltas.py" "$work/damaged" >/dev/null 2>&1
! "$bin/points" "$work/damaged" >/dev/null 2>&1
