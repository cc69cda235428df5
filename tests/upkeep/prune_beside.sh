#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A backup that comes between two calls of a prune: neither minds the other.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1
. "$top_srcdir/tests/fault/faults.sh"

make_repository
for i in 1 2 3; do
	change src "$i"
	backup src s
done
remove "$(ls must | head -n 1)"

# beside N: a prune whose Nth call comes late, and a backup before it comes
beside() {
	local status=0
	export XDG_STATE_HOME=$work/state.$1 # nobody has seen another copy
	cp -r repo "copy.$1"
	YORE_REPOSITORY=fault:delay=1500@$1:$work/copy.$1 prune -q 2>"err.$1" &
	sleep 0.5
	yore backup -q -r "copy.$1" --host h --source s src 2>>"err.$1" || status=1
	wait $! || status=1
	prune -q -r "copy.$1" 2>>"err.$1" || status=1
	yore check -q -r "copy.$1" --read-data 2>>"err.$1" || status=1
	echo $status >"status.$1"
}
change src 4
for n in 1 9; do # what is listed
	jobs=()
	for k in {0..7}; do
		beside $((n + k)) &
		jobs+=($!)
	done
	wait "${jobs[@]}"
done
for n in {1..16}; do
	[ "$(cat "status.$n")" = 0 ] || { cat "err.$n"; fail "call $n"; }
done
