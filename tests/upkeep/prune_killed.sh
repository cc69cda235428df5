#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A prune that is killed at any call of the store: every snapshot is whole, and
# the next ones finish what it began and leave nothing behind.
# YORE_TEST_FULL=1 for every call instead of some.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1
. "$top_srcdir/tests/fault/faults.sh"

make_repository
for i in {1..8}; do
	change src "$i"
	backup src s
	ids[i]=$snapshot
done
for i in 1 2 4; do remove "${ids[i]}"; done
prune -q # these are condemned
for i in 9 10; do
	change src "$i"
	backup src s
	ids[i]=$snapshot
done
for i in 3 5 7 8; do remove "${ids[i]}"; done
base=$work/repo

step=17 last=0 kills=0
[ -z "${YORE_TEST_FULL-}" ] || step=1
for ((n = 1; ; n += step)); do
	rm -rf "$work/copy"
	cp -r "$base" "$work/copy"
	status=0
	YORE_REPOSITORY=fault:kill@$n:$work/copy prune -q 2>err || status=$?
	[ $status != 0 ] || break
	[ $status = 137 ] || { cat err; fail "killed at $n: status $status"; }
	kills=$((kills + 1))
	export YORE_REPOSITORY=$work/copy
	all_there
	for _ in 1 2 3 4; do prune -q; done
	all_there
	left=$(prune -n --json | tail -n 1)
	[ "$(jq '.deleted_packs + .condemned_packs + .waiting_packs' <<<"$left")" = 0 ] ||
		fail "killed at $n: something is left for ever: $left"
	last=$n
done
[ $kills -ge 8 ] || fail "only $kills kills, the last at call $last"
echo "$kills kills, the last at call $last"
