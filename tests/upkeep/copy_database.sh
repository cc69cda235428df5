#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every moment of a database is copied as it was, whenever copying was killed,
# and the next copy goes on where the last one ended.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse

export YORE_REPOSITORY=$work/from
yore init -q -r from --no-passphrase
yore init -q -r to --no-passphrase
sqlite3 app.db 'PRAGMA journal_mode=wal; CREATE TABLE t(a, b); VACUUM' >/dev/null
start_replicator
# sync SQL: one commit, one more moment
sync() {
	sqlite3 app.db "$1"
	stored
}
row="INSERT INTO t SELECT value, hex(randomblob(900)) FROM generate_series(1, 100)"
for ((i = 0; i < 6; i++)); do
	sync "$row"
done
sync 'DELETE FROM t WHERE a > 10; VACUUM' # it shrinks
sync "$row"
stop_replicator KILL # what follows is a base again
sqlite3 app.db "$row"
start_replicator
for ((i = 0; i < 6; i++)); do
	sync "UPDATE t SET b = $i WHERE a = $i"
done
copy() { yore copy -r from --to to "$@"; }

# same_moments: as many, each of the same bytes
same_moments() {
	local m
	for m in a b; do
		[ -d $m ] || mkdir $m
		mountpoint -q $m && yore umount $m
	done
	mount_yore -r from a
	mount_yore -r to b
	for m in a b; do
		(cd $m/sources/h/app.db/generations &&
			find . -path '*/points/*.raw' -type f | sort |
			xargs sha256sum) >$m.sums
	done
	diff a.sums b.sums || fail 'not the same moments'
	n_moments=$(wc -l <a.sums)
}

# killed at every fifth call until one copy goes through
for ((at = 12; at < 400; at += 5)); do
	{ timeout 60 yore copy -q -r from --to "fault:kill@$at:$work/to" \
		>/dev/null 2>&1 && status=0 || status=$?; } 2>/dev/null
	[ $status != 0 ] || break
done
[ $status = 0 ] || fail "status $status in the end"
run_status 0 copy
same_moments
[ "$n_moments" -ge 14 ]
run_status 0 copy
says out '^0 copied, [0-9]+ there already'

# what is new: also where the hashes that were kept are lost.  Somebody has the
# database open: else a look that comes too late would begin a base.
mkfifo said
sqlite3 app.db <said >/dev/null &
servers+=("$!")
exec {application}>said
echo 'SELECT count(*) FROM t;' >&"$application"
sync "$row"
rm -rf home/.local/state/yore/*/copy
sync "UPDATE t SET b = 'x' WHERE a = 5"
run_status 0 copy
says out '^0 copied, 2 moments'
same_moments
[ "$(sqlite3 b/latest/h/app.db/app.db 'PRAGMA integrity_check; SELECT count(*) FROM t')" = \
	$'ok\n'"$(sqlite3 app.db 'SELECT count(*) FROM t')" ]
