#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A source that is gone is forgotten as a whole: on purpose only, not over pins,
# undone like anything else.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1

make_repository
for i in 1 2; do
	change src "$i" && backup src gone
	change other "$((i + 9))" && backup other s
done
first=h/$(at "$(cd must && ls -d gone@* | head -n 1)")
yore snapshots --json >before

# on purpose only
run_status 2 setsid yore forget --all h/gone
says err 'not without consent'
run_status 2 yore forget --all
run_status 2 yore forget --all --keep-last 1 h/gone
run_status 2 yore forget --all --yes "$first"
run_status 1 yore forget --all --yes h/none
run_status 0 yore forget --all -n h/gone
says out '2 would be forgotten'
run_status 2 script -qec 'yore forget --all h/gone' /dev/null
# not over a pin, nor of somebody who would not notice
yore forget -q --pin "$first"
run_status 1 yore forget --all --yes h/gone
says err 'is pinned'
yore forget -q --unpin "$first"
mark=cat/000000000000-s-$(basename "$(ls -d repo/snap/*/*2023* | head -n 1 | xargs dirname)")
: >"repo/$mark"
run_status 1 yore forget --all --yes --host h
says err 'key that cannot read.*--key-withdrawn'
yore snapshots --json | cmp - before
run_status 0 yore forget --all --yes --key-withdrawn --host h
[ ! -e "repo/$mark" ] || fail 'its mark is left'
run_status 0 yore forget --undo
yore snapshots --json | cmp - before
rm -r repo/gc/end

run_status 0 yore forget --all --yes h/gone
says out '0 snapshots stay, 2 were forgotten'
run_status 0 yore snapshots
! grep . err || fail 'what was forgotten is taken for lost'
[ "$(wc -l <out)" = 3 ]
run_status 0 yore check
# undone, as it was
run_status 0 yore forget --undo
yore snapshots --json | cmp - before
run_status 0 yore check --read-data
all_there
