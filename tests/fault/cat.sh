#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cat and ls over a store whose Nth call goes wrong: what comes out is right as
# far as it goes, and an end that comes too early is an error.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/fault/faults.sh"

make_repository
bash "$top_srcdir/tests/fault/states.sh" tree 1
yore backup -q --host h --source t tree
yore ls -R h/t >listed

# check SPEC WANTED COMMAND...: all of it, or a beginning and an error
check() {
	local spec=$1 wanted=$2
	shift 2
	over "$spec" "$@"
	explained
	if [ "$status" = 0 ]; then
		cmp -s out "$wanted" || fail "$spec: $*: less, without an error"
		return
	fi
	one_line err
	failed=$((failed + 1))
	if [ "$2" != ls ]; then
		cmp -s out <(head -c "$(stat -c %s out)" "$wanted") ||
			fail "$spec: $*: wrong bytes"
	else # goes on with the next directory
		! grep -vxFf "$wanted" out || fail "$spec: wrong names"
	fi
}

# everywhere WANTED COMMAND...
everywhere() {
	local kind n
	failed=0
	calls_of "${@:2}"
	for kind in eio short flip enoent; do
		for n in $(seq "$calls"); do
			check "$kind@$n" "$@"
		done
	done
	[ $failed -gt 10 ] || fail "only $failed of $* failed"
	echo "$calls calls, $failed failed: ${*:2}"
}
everywhere tree/big yore cat h/t:big
everywhere tree/small/b/7 yore cat h/t:small/b/7
everywhere listed yore ls -R h/t
