#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# --restore-missing: a database that is not there comes back as it was stored
# before it is replicated, and its history goes on; one that is there, or was
# never replicated, is left alone.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
make_repository

sqlite3 app.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a);
	INSERT INTO t VALUES (1)' >/dev/null
once() { yore replicate --host h --state-dir "$1" --once --restore-missing app.db; }
once "$work/state"

# there: as it is
sqlite3 app.db 'INSERT INTO t VALUES (2)'
once "$work/state" 2>err
! grep -q 'restored from' err || fail "$(cat err)"
newest=$(yore snapshots --json h/app.db | jq -r 'select(.id).id' | tail -n 1)

# another machine, or this one after it was lost
rm app.db* && rm -rf state
once "$work/fresh" 2>err
says err 'app.db was not there: restored from h/app.db'
[ "$(sqlite3 app.db 'SELECT group_concat(a) FROM t')" = 1,2 ] || fail 'other rows'
[ "$(yore snapshots --json h/app.db | jq -r 'select(.id).id' | tail -n 1)" = \
	"$newest" ] || fail 'stored as a whole again'
sqlite3 app.db 'INSERT INTO t VALUES (3)'
once "$work/fresh" 2>err
yore restore -q h/app.db copy.db
[ "$(sqlite3 copy.db 'SELECT group_concat(a) FROM t')" = 1,2,3 ] || fail 'copy'

# never stored: the application makes it
run_status 1 yore replicate --host h --state-dir "$work/other" --once -v \
	--restore-missing other.db
says err 'other.db: nothing to restore'
[ ! -e other.db ] || fail 'made from nothing'

# a tree of that name
mkdir tree && echo x >tree/x
yore backup -q --host h --source tree.db tree
run_status 1 yore replicate --host h --state-dir "$work/other" --once -v \
	--restore-missing tree.db
says err 'h/tree.db is no database'
[ ! -e tree.db ] || fail 'a tree was restored'
