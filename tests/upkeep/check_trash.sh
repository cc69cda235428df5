#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a fault touches of forgotten snapshots is named, as such: who would bring
# them back is warned; and what exists is not said to be lost.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1

make_repository
mkdir -p src/sub && head -c 200000 /dev/urandom >src/sub/own && backup src s
own=$(packs repo | grep ^data/)
rm src/sub/own && echo else >src/else && backup src s
remove "$(ls must | head -n 1)"
run_status 0 yore check
says out ', 1 snapshot forgotten'

# its pack is of no use to what exists, which is no fault
run_status 0 yore check --read-data --json
[ "$(jq -r 'select(.what == "unreferenced").object' out | grep -c data/)" = 1 ]

cp -r repo good
rm "repo/$own"
run_status 5 yore check --no-mark
says out '^missing: '"$own"': .*; everything but what was forgotten can be read'
says out '^  of a forgotten snapshot: h/s@.*:sub/own$'
says out '^1 snapshot,.*, 1 snapshot forgotten'
! grep 'lost:' out || fail 'something is lost'
run_status 5 yore check --no-mark --json
jq -se 'any(.[]; .type == "finding" and .what == "missing" and .forgotten and
	(.lost | not)) and any(.[]; .type == "touched" and .forgotten) and
	any(.[]; .type == "check" and .lost == 0 and .forgotten == 1)' out >why

# damaged; and a page, below which everything is gone
rm -rf repo && cp -r good repo
damage "repo/$own" 1000
run_status 4 yore check --read-data --no-mark
says out '^  of a forgotten snapshot: h/s@.*:sub/own$'
run_status 4 yore check --read-data
run_status 4 yore check # marked now, and still not healed
rm -rf repo && cp -r good repo
rm -r repo/gc/snap
run_status 0 yore check
! grep forgotten out || fail 'forgotten for good'
