#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Listings that end early, sizes that are wrong, objects that seem gone, calls
# that fail: a prune may refuse, and nothing that a snapshot refers to goes.
# YORE_TEST_FULL=1 for every call instead of some.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1
. "$top_srcdir/tests/fault/faults.sh"

make_repository
for i in {1..6}; do
	change src "$i"
	backup src s
	ids[i]=$snapshot
done
for i in 1 2 4; do remove "${ids[i]}"; done
prune -q # these are condemned
change src 9
backup src s
for i in 3 5; do remove "${ids[i]}"; done
base=$work/repo

step=23 runs=0
[ -z "${YORE_TEST_FULL-}" ] || step=1
for kind in short flip enoent eio; do
	refused=0
	for ((n = 1 + step / 4 * ${#kind} % step; ; n += step)); do
		rm -rf "$work/copy"
		cp -r "$base" "$work/copy"
		status=0
		YORE_REPOSITORY=fault:$kind@$n:$work/copy prune -v \
			>said 2>err || status=$?
		[ $status -le 1 ] || { cat err; fail "$kind@$n: status $status"; }
		[ $status = 0 ] || refused=$((refused + 1))
		export YORE_REPOSITORY=$work/copy
		runs=$((runs + 1))
		for _ in 1 2 3; do prune -q 2>err || { cat err; fail "$kind@$n"; }; done
		all_there
		[ "$n" -lt 150 ] || break
	done
	[ "$kind" != eio ] || [ $refused -gt 0 ] || fail 'no fault was noticed'
done
# the same, but with every listing from some call on
for n in 1 5 9 20 40; do
	rm -rf "$work/copy"
	cp -r "$base" "$work/copy"
	for _ in 1 2 3; do
		YORE_REPOSITORY=fault:short@$n+:$work/copy prune -q \
			>said 2>err || :
	done
	YORE_REPOSITORY=$work/copy
	all_there
done
echo "$runs runs with a fault"
