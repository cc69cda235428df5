#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Any moment of a database in a repository opens as a file, with no flags.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
need_root
need_fuse
make_repository
mkdir state mnt
# 40 states of a database in WAL mode, as the file is after a checkpoint
sqlite3 app.db 'pragma journal_mode = wal;
	create table t(n integer primary key, x)' >/dev/null
for i in $(seq 100 139); do
	sqlite3 app.db "insert into t values($i, randomblob(3000));
		pragma wal_checkpoint(truncate)" >/dev/null
	cp app.db "state.$i"
done
put() { # FIRST_MS STATE...
	"$top_builddir/tests/mount/put_states" "$YORE_REPOSITORY" state app.db \
		"$1" 250 "${@:2}"
}
put 1767311998000 state.1[01]*
put 1767312013000 state.12*

yore mount -f "$PWD/mnt" & # 2026-01-01T23:59:58Z and 2026-01-02T00:00:13Z
servers+=($!)
mounts+=("$PWD/mnt")
until [ -d mnt/sources ]; do sleep 0.05; done
db=mnt/sources/host/app.db
points=$db/generations/2026-01-01T23-59-58Z/points
i=100
for point in "$points"/*/*; do
	[ "$(sqlite3 "$point/app.db" 'select max(n) from t')" = $i ] ||
		fail "$point is not state $i"
	cmp "$point/app.db.raw" state.$i || fail "$point differs from state $i"
	! cmp -s "$point/app.db" state.$i || fail "$point says it has a WAL"
	time=${point#"$points"/}
	time=${time/\//T}
	id=$(getfattr --only-values -n user.yore.id "$point")
	cmp "mnt/at/$time/host/app.db/app.db.raw" state.$i || fail "at/$time"
	cmp "mnt/by-id/$id/app.db.raw" state.$i || fail "by-id/$id"
	yore cat "host/app.db@$time:app.db.raw" "@$id:app.db.raw" |
		cmp - <(cat state.$i state.$i) || fail "host/app.db@$time"
	i=$((i + 1))
done
[ $i = 130 ] || fail "$((i - 100)) moments"
[ "$(yore snapshots --points host/app.db | wc -l)" = 31 ] || fail --points

# two moments at once; latest moves, and what was open stays
[ "$(sqlite3 "$db/latest/app.db" "attach '$points/2026-01-01/23-59-58.250Z/app.db'
	as old; select count(*) from t where n not in (select n from old.t)")" = 28 ]
exec 3<"$db/latest/app.db.raw"
put 1767312053000 state.13*
kill -HUP "${servers[0]}"
sleep 1.5
[ "$(sqlite3 "$db/latest/app.db" 'select max(n) from t')" = 139 ] || fail latest
[ "$(sqlite3 mnt/at/now/host/app.db/app.db 'select max(n) from t')" = 139 ] ||
	fail at/now
[ "$(find "$points" -mindepth 2 -maxdepth 2 | wc -l)" = 40 ] || fail new
# cp has the kernel ask for more at a time than cmp does, which must be all
[ "$(stat -c %s state.139)" -gt 150000 ] || fail 'state 139 is too small'
cp "$db/latest/app.db.raw" copy
same copy state.139
cmp - state.129 <&3 || fail 'what was open has changed'
exec 3<&-
