#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A store that lost the last deltas of a database is told of by who has seen
# them; one that never had them is not.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
make_repository
ledger run app.db ledger 0.2 100 >run
start_replicator --sync-interval 0.1
ledger run app.db ledger 1 100 >run
stored
stop_replicator

yore snapshots --points h/app.db >before 2>err
[ ! -s err ] || fail "$(cat err)"
newest=$(find "$YORE_REPOSITORY/db" -type f | sort | head -n 1)
mv "$newest" kept
yore snapshots --points h/app.db >after 2>err
says err 'h/app.db has [0-9]+ deltas of its snapshot number 1, [0-9]+ were here before'
one_line err
[ "$(wc -l <after)" = $(($(wc -l <before) - 1)) ] || fail 'what is left is not shown'
XDG_STATE_HOME=$work/nobody yore snapshots --points h/app.db 2>err >after
[ ! -s err ] || fail "who never saw it: $(cat err)"
mv kept "$newest"
yore snapshots --points h/app.db 2>err | cmp - before
[ ! -s err ] || fail "$(cat err)"

