#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# forget --thin, killed or failing at every call of the store in turn: points
# are all that were or all that stay, and the next run ends as the first should
# have.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/fault/faults.sh"
. "$top_srcdir/tests/upkeep/lib.sh"

make_repository
sqlite3 app.db 'pragma page_size=1024; create table t(a, b);
	with n(i) as (select 1 union all select i + 1 from n where i < 150)
	insert into t select i, randomblob(400) from n'
mkdir state
"$top_builddir/tests/bench/deltas" repo app.db state 12 8 >/dev/null
"$top_builddir/tests/bench/deltas" repo app.db state 2 8 base >/dev/null
points() {
	"$top_builddir/tests/golden/points" repo | cut -d' ' -f1,2,4-
}
points >before
cp -a repo whole
run_status 0 yore forget --thin=4s:all
points >after
# of twelve seconds one in four
[[ $(wc -l <before)-$(wc -l <after) =~ ^16-[78]$ ]] ||
	fail "$(wc -l <before) points, $(wc -l <after) stay"
[ -z "$(comm -13 <(sort before) <(sort after))" ] || fail 'points are new'
start() { rm -rf repo && cp -a whole repo; }

start
calls_of yore forget --thin=4s:all
for spec in kill eio; do
	for ((n = 1; n <= calls; n++)); do
		start
		over "$spec@$n" yore forget --thin=4s:all
		[ "$status" = 137 ] || explained
		points >now
		cmp -s now before || cmp -s now after ||
			fail "$spec@$n: $(wc -l <now) points"
		run_status 0 yore forget --thin=4s:all
		points | cmp -s after - || fail "$spec@$n: not what should stay"
		catalogs_fit
	done
done
echo "$calls calls"
