#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A tree that many runs changed a little of is not read from as many packs: small
# files that lie alone, and maps of big ones, are stored again beside what is
# new; not again and again, and nothing is lost.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

/usr/bin/python3 -c 'import cryptography, zstandard' 2>/dev/null ||
	{ echo 'no python3-cryptography or -zstandard'; exit 77; }
export PYTHONDONTWRITEBYTECODE=1
make_repository
mkdir -p tree/{1..6}
# noise FILE KIB
noise() { head -c "$2K" /dev/urandom >"$1"; }
for i in {1..60}; do
	noise "tree/$((i % 6 + 1))/$i" 20
done
ln tree/1/6 tree/2/linked
setfattr -n user.x -v y tree/1/12
at=1600000000
back_up() {
	at=$((at + 60))
	yore backup -q --host h --source t --time "@$at" tree
}
# packs_of FOLDER: of how many packs the newest snapshot uses something
packs_of() {
	/usr/bin/python3 "$top_srcdir/tests/golden/decode.py" --places repo \
		>places 2>/dev/null
	grep " $(tail -n 1 places | cut -d ' ' -f 4) " places | grep "^$1/" |
		cut -d ' ' -f 1 | sort -u | wc -l
}

back_up
for k in {1..24}; do
	noise "tree/$((k % 6 + 1))/$k" 20
	noise "tree/big$k" 200 # has a map, and stays where it is
	[ $k != 12 ] || cp -a tree as_it_was
	back_up
done
meta=$(packs_of meta)
[ "$meta" -le 6 ] || fail "pages of the newest snapshot lie in $meta packs"

# the same without big files: the base, and a few of what is small
for k in {1..24}; do
	rm "tree/big$k"
done
for k in {25..48}; do
	noise "tree/$((k % 6 + 1))/$k" 20
	back_up
done
data=$(packs_of data)
[ "$data" -le 10 ] || fail "the newest snapshot lies in $data packs"

# who changes nothing soon stores nothing
after=
for k in 1 2 3; do
	back_up
	before=$after after=$(find repo/data -type f | wc -l)
done
[ "$before" = "$after" ] || fail 'files are stored again for ever'
stored=$(du -s --apparent-size -B1K repo/data | cut -f 1)
# the first run's, what changed since, and what that may be stored again
[ "$stored" -lt $((60 * 20 + 24 * 200 + 3 * 48 * 20 + 200)) ] ||
	fail "data/ has $stored KiB"

yore restore -q h/t "$work/out" && same_tree tree out
yore restore -q h/t@@$((1600000000 + 60 * 13)) "$work/then"
same_tree as_it_was then
yore check -q --read-data
