#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# yore forget --thin: points that stay are what they were. Others mean the one
# before; nothing that packs have is stored again; all of it can be undone.
. "${top_srcdir:-.}/tests/lib.sh"
export YORE_REPOSITORY=$work/repo
golden=$top_builddir/tests/golden
"$golden/databases" repo big
points() { "$golden/points" repo | awk '{ print $1, $2, $4, $5, $6 }'; }
packs() { (cd repo && find data meta -type f | sort); }
# bytes below a folder of db/
bytes() {
	find repo/db -path "*/$1/*" -type f -printf '%s\n' |
		awk '{ n += $1 } END { print n + 0 }'
}
points >before
packs >packs

run_status 2 yore forget --thin=10s
says err '"10s" does not say which points stay, as "1s:1d,1m:7d,1h:30d" does'
run_status 2 yore forget --thin --undo
run_status 0 yore forget --thin=10s:all -n
says out 'thin    2023-11-14T22-13-20Z   8 of 70 points would stay \(of '
says out 'newest  2023-11-14T22-14-31Z   points still follow'
run_status 0 yore forget --thin=all:all,1s:1d -n
says out 'keep    .*70 points, all held by a rule'
run_status 0 yore forget --thin=10s:all,1s:1m -n
says out 'keep    .*70 points, of which 17 need not stay: thinned when half'
run_status 0 yore forget --thin
says out '^no point of a database had to go$'
points | cmp before -

run_status 0 yore forget --thin=10s:all
says out 'thin    2023-11-14T22-13-20Z   8 of 70 points stay \(.* instead of '
points >after
[ "$(wc -l <after)" = 19 ] || fail "$(wc -l <after) points"
[ -z "$(comm -13 <(sort before) <(sort after))" ] || fail 'points are new'
packs | cmp packs -
[ $(($(bytes 000000000001-0001) * 10)) -lt $(($(bytes 000000000001) * 8)) ] ||
	fail "$(bytes 000000000001-0001) of $(bytes 000000000001) bytes"

# all points are back, and gone again
run_status 0 yore forget --undo -n
says out 'thinned 2023-11-14T22-13-20Z .* thinned 20'
run_status 0 yore forget --undo
points | cmp after -
old=$(cd repo/gc && find snap -type f | sed 's/.*-//')
run_status 0 yore forget --undo "@$old"
points | cmp before -
run_status 0 yore forget --thin=10s:all --keep-last 5 h/orders.db
points | cmp after -

# another time, and nothing but snapshots; what goes with one is all of it
run_status 0 yore forget --thin=none
[ "$(points | wc -l)" = 11 ] || fail "$(points | wc -l) points"
run_status 0 yore forget --thin=none -n
says out 'keep    2023-11-14T22-13-20Z   no points'
[ ! -s err ] || fail "the chain is broken: $(cat err)"
run_status 0 yore forget --keep-last 1
[ "$(points | wc -l)" = 10 ] || fail "$(points | wc -l) points"
