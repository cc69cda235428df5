#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A source that was forgotten as a whole is freed by prune; who sees its name
# again goes on behind its numbers, and nobody takes the store for one that was
# put back.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1

make_repository
for i in 1 2; do change src "$i" && backup src gone; done
change other 10 && backup other s
yore ls >/dev/null

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
