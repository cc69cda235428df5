#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# yore versions over a store whose Nth call goes wrong: all of them, or an error
# and none that never was.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/fault/faults.sh"

make_repository
mkdir -p tree/a/b
for i in {1..9}; do
	echo "$i" >tree/other
	head -c 5000 /dev/urandom >"tree/a/$i"
	case $i in 1 | 3 | 6 | 9) echo "$i" >>tree/a/b/f ;; esac
	yore backup -q --host h --source t --time @$((1600000000 + 60 * i)) tree
done
states() { jq -r '"\(.gone) \(.size)"' "$1"; }

# check SPEC: what is listed is all, or a part of it in the same order
check() {
	over "$1" yore versions --json h/t:a/b/f
	explained
	if [ "$status" = 0 ]; then
		cmp -s out wanted || fail "$1: $(diff out wanted)"
		return
	fi
	[ -s err ] || fail "$1: no error"
	failed=$((failed + 1))
	states out >part
	[ "$(diff part <(states wanted) | grep -c '^<')" = 0 ] ||
		fail "$1: what never was: $(cat part)"
}

yore versions --json h/t:a/b/f >wanted
[ "$(states wanted | xargs)" = 'false 2 false 4 false 6 false 8' ]
calls_of yore snapshots
before=$calls failed=0
calls_of yore versions --json h/t:a/b/f
for kind in eio short flip enoent; do
	for n in $(seq $((before + 1)) "$calls"); do
		check "$kind@$n"
	done
	check "$kind@$((before + 1))+"
	[ "$status" = 1 ] || [ $kind != eio ] || fail "$kind: all fail: $status"
done
[ $failed -gt 10 ] || fail "only $failed failed"
echo "calls $before to $calls, $failed failed"
