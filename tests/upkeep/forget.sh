#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rules: what stays is what the dry run says, source by source; nothing goes
# without a rule; a second run finds nothing to do and writes nothing.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/upkeep/lib.sh"

make_repository
days 40 t tag
days 3 other

# no rule, no name: nothing
before=$(records)
run_status 2 yore forget
one_line err
run_status 2 yore forget --keep-last 0
run_status 2 yore forget --keep-within soon
run_status 2 yore forget h/t
says err 'is a source: say what is kept'
run_status 2 yore forget --keep-last 1 h/t@2026-11-20T12-00-00Z
[ "$(records)" = "$before" ] || fail 'something went'

# a dry run says why, and does nothing
rules=(--keep-last 3 --keep-weekly 3 --keep-monthly all --keep-tag tag7)
run_status 0 yore forget -n "${rules[@]}" h/t
says out '^h/t: 7 snapshots stay, 33 would be forgotten$'
says out 'keep .*2026-11-20T12-00-00Z .* newest, last, weekly, monthly$'
says out 'keep .*2026-10-31T12-00-00Z .*  monthly$'
says out 'keep .*\[tag7\]  tag$'
says out 'forget .*2026-11-14T12-00-00Z .* no rule holds it$'
[ "$(grep -c ' keep ' out)" = 7 ] || fail "$(cat out)"
[ "$(records)" = "$before" ] || fail 'a dry run removed something'

# what it says is what happens, in the sources that are named
wanted=$(sed -n 's/^  keep  *\([^ ]*\).*/\1/p' out)
run_status 0 yore forget "${rules[@]}" h/t
says out '^h/t: 7 snapshots stay, 33 were forgotten$'
[ "$(yore snapshots h/t | sed 1d | cut -d' ' -f1)" = "$wanted" ] ||
	fail 'not what the dry run said'
[ "$(kept)" = '7 20 28 35 38 39 40' ] || fail "$(kept)"
[ "$(kept other)" = '1 2 3' ] || fail 'another source lost something'

# nothing is left to do, and nothing is written then
state() { find repo -type f | sort; }
before=$(state)
run_status 0 yore forget -v "${rules[@]}" h/t
says out ' 0 were forgotten'
[ "$(state)" = "$before" ] || fail 'objects changed'

# all sources, as JSON; the newest stays whatever the rules
run_status 0 yore forget --json --keep-tag none
[ "$(grep -c '"keep":true,"reasons":\["newest"\]' out)" = 2 ] || fail "$(cat out)"
says out '^\{"type":"summary","forgotten":8,"kept":2,"dry_run":false\}$'
[ "$(kept) $(kept other)" = '40 3' ] || fail "$(kept), $(kept other)"

# who has seen more before sees nothing to warn of; numbers go on
run_status 0 yore snapshots
[ ! -s err ] || fail "$(cat err)"
days 1 other
yore snapshots --json h/other | tail -1 | grep -q '"sequence":4,' ||
	fail 'a number was given twice'
