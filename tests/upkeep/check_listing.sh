#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A store that fails or lists less than it has: check never takes for missing
# what is there, and marks nothing because of it.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

make_repository
yore cat -r "fault:short@1000000:$YORE_REPOSITORY" x 2>err || true
if grep -q 'no yore repository' err; then
	echo 'built without --enable-faults'
	exit 77
fi
mkdir src
for n in 1 2 3; do
	head -c 200000 /dev/urandom >src/$n
	yore backup -q --host h --source s src
done

# Each call in turn comes back short: lists end after their first object, gets
# have half.
wrong=0
for n in {1..60}; do
	status=0
	yore check -r "fault:short@$n:$YORE_REPOSITORY" >out 2>err || status=$?
	if grep -E '^missing: (data|meta|snap|db)/' out; then
		fail "call $n came back short: what is there is missing"
	fi
	[ $status = 0 ] || wrong=$((wrong + 1))
	rm -rf repo/gc
	status=0
	yore check -r "fault:eio@$n:$YORE_REPOSITORY" >out 2>err || status=$?
	[ $status = 0 ] || [ $status = 1 ] || [ $status = 10 ] ||
		fail "call $n failed, and check exits with $status: $(cat out)"
	[ ! -d repo/gc ] || fail "call $n failed, and something was marked"
done
[ $wrong -gt 5 ] || fail 'hardly any short call was noticed'
run_status 0 yore check --read-data
