#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Page sizes, auto_vacuum, VACUUM; then, in use by nobody else, another journal
# mode and page size; then the file is replaced, removed, made anew.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse
make_repository

for size in 512 1024 8192 65536; do
	vacuum=$((RANDOM % 3))
	rm -f ledger app.db*
	sqlite3 app.db "PRAGMA page_size=$size; PRAGMA auto_vacuum=$vacuum;
		VACUUM"
	ledger run app.db ledger 0.1 100 >run
	start_replicator --sync-interval 0.1 --source "s$size"
	ledger run app.db ledger 1 200 >run
	sqlite3 app.db 'DELETE FROM t WHERE id > 100; VACUUM'
	ledger run app.db ledger 0.5 200 >run
	stored
	yore cat "h/s$size:app.db" >copy
	ledger check ledger copy
	[ "$(sqlite3 copy 'PRAGMA page_size')" = "$size" ] || fail "not $size"
	stop_replicator
done

start_replicator --sync-interval 0.1
ledger run app.db ledger 0.3 100 >run
changed=
for _ in $(seq 100); do # let go of after some seconds
	changed=$(sqlite3 app.db 'PRAGMA journal_mode=DELETE' 2>/dev/null) || :
	[ "$changed" != delete ] || break
	sleep 0.2
done
[ "$changed" = delete ] || fail 'the journal mode cannot be changed'
# the replicator may be reading it
sqlite3 -cmd '.timeout 20000' app.db \
	'PRAGMA page_size=2048; VACUUM; PRAGMA journal_mode=WAL'
ledger run app.db ledger 0.5 100 >run
stored
yore cat h/app.db:app.db >copy
[ "$(sqlite3 copy 'PRAGMA page_size')" = 2048 ] || fail 'not 2048'
ledger check ledger copy

sqlite3 -cmd '.timeout 20000' app.db ".backup other.db"
sqlite3 other.db 'PRAGMA journal_mode=WAL; UPDATE state SET n = n + 1000'
rm -f app.db-wal app.db-shm
mv other.db app.db
rm ledger
ledger run app.db ledger 0.3 100 >run
stored
yore cat h/app.db:app.db >copy
ledger check ledger copy
