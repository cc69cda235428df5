#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# By name: ids and times as they are listed; the newest, what is pinned and what
# is not there are refused, and then nothing of the rest goes either.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/upkeep/lib.sh"

make_repository
days 8
id() { yore snapshots --json h/t | sed -n "$1s/.*\"id\":\"\([^\"]*\)\".*/\1/p"; }

refused() {
	run_status 1 yore forget "${@:2}"
	one_line err
	says err "$1"
	[ "$(kept)" = '1 2 3 4 5 6 7 8' ] || fail "$* removed: $(kept)"
}
refused 'the newest snapshot of a source is not forgotten' "$(id 1)" "$(id 8)"
refused 'no snapshot has this name or id' "$(id 1)" 0123456789ab
refused 'no snapshot has this name or id' h/t@2026-11-20T12-00-01Z
refused 'no snapshot has this name or id' h/t@yesterday
refused 'no source h/nothing' h/nothing

yore forget --pin "$(id 2)" h/t@2026-11-15T12-00-00Z
yore forget --pin "$(id 2)"
run_status 0 yore forget --pin
[ "$(wc -l <out)" = 2 ] || fail "$(cat out)"
refused 'is pinned' "$(id 2)"

run_status 0 yore forget -n "$(id 1)"
says out 'forget .* named$'
[ "$(kept)" = '1 2 3 4 5 6 7 8' ] || fail 'a dry run removed something'
five=$(id 5)
run_status 0 yore forget "$(id 1)" "@${five:0:8}" h/t@2026-11-16T12-00-00Z
[ "$(kept)" = '2 3 6 7 8' ] || fail "$(kept)"

# rules pass over what is pinned until it is unpinned
run_status 0 yore forget --keep-last 1 -v
says out 'keep .*2026-11-14T12-00-00Z .*  pinned$'
[ "$(kept)" = '2 3 8' ] || fail "$(kept)"
run_status 2 yore forget --unpin
run_status 0 yore forget --unpin "$(id 1)"
run_status 0 yore forget --keep-last 1
[ "$(kept)" = '3 8' ] || fail "$(kept)"
