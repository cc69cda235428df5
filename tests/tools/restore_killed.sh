#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A restore that was killed anywhere is completed by the next with --overwrite.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

mkdir tree
for i in {1..40}; do
	mkdir "tree/$i"
	for j in {1..20}; do
		echo "$i $j" >"tree/$i/$j"
	done
	head -c 2000000 /dev/urandom >"tree/$i/big"
done
ln tree/1/big tree/40/link
make_repository
yore backup -q --host h --source t tree

killed=0
for delay in 0.005 0.01 0.02 0.03 0.05 0.08 0.12; do
	rm -rf new
	yore restore -q h/t new 2>/dev/null &
	sleep $delay
	if kill -9 $! 2>/dev/null; then
		killed=$((killed + 1))
	fi
	{ wait $! || :; } 2>/dev/null
	# nothing that has its mtime is half there: a second run may trust it
	yore restore -q --overwrite h/t new
	same_tree tree new
	[ -z "$(find new -name '.yore*')" ] || fail 'leftovers'
done
[ $killed -gt 0 ] || fail 'never killed in time'

# an interrupt ends it with 130
rm -rf new
status=0
timeout --preserve-status -s INT 0.03 yore restore -q h/t new 2>err || status=$?
[ $status = 130 ] || [ $status = 0 ] || fail "status $status"
yore restore -q --overwrite h/t new
same_tree tree new
