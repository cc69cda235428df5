#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A restore over a store whose Nth call goes wrong never writes wrong bytes.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/fault/faults.sh"

make_repository
bash "$top_srcdir/tests/fault/states.sh" tree 1
yore backup -q --host h --source t tree

# What has been restored is right, or is not there.
right_or_absent() {
	[ ! -e new ] || diff -rq --no-dereference tree new >differences 2>&1 ||
		! grep '^Files .* differ' differences ||
		fail "$1: wrong bytes"
}

restore() {
	rm -rf new
	over "$1" yore restore -q h/t new
	explained
	if [ "$status" = 0 ]; then
		same_tree tree new
	else
		right_or_absent "$1"
	fi
}

rm -rf new
calls_of yore restore -q --overwrite h/t new
failed=0
for kind in eio short flip enoent; do
	for n in $(seq "$calls"); do
		restore "$kind@$n"
		failed=$((failed + (status != 0)))
	done
done
[ $failed -gt 20 ] || fail "only $failed restores failed"
restore delay=20@1+
[ "$status" = 0 ] || fail 'a slow store is an error'

# what a fault left unfinished, the next run completes
rm -rf new
over eio@"$calls" yore restore -q h/t new
yore restore -q --overwrite h/t new
same_tree tree new
echo "$calls calls, $failed failed"
