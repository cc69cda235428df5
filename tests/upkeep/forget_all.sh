#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A source that is gone is forgotten as a whole: on purpose only, not over pins,
# undone like anything else, freed by prune; who sees its name again goes on
# behind its numbers, and nobody takes the store for one that was put back.
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

# another user's machine had seen it; so did who is not told by the right object
cp -r home other_home
yore forget -q --all --yes h/gone
HOME=$work/other_home run_status 0 yore ls
! grep . err || fail 'another user takes it for lost'
for s in must/gone@*; do mv "$s" "forgotten.${s#must/}"; done
size=$(du -s --apparent-size repo | cut -f1)
for _ in 1 2 3; do prune -q; done
[ "$(du -s --apparent-size repo | cut -f1)" -lt "$((size * 3 / 4))" ] ||
	fail 'nothing was freed'
all_there
# again, behind what there was: a generation of its own
backup src gone
run_status 0 yore snapshots --json h/gone
[ "$(jq -r '[.sequence, .generation == .snapshot] | @tsv' out)" = $'3\ttrue' ]
change src 5 && backup src gone
all_there
run_status 0 yore check --read-data
HOME=$work/other_home run_status 0 yore ls
! grep . err || fail 'numbers began again'
