#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A snapshot that was stored though the store did not say so is the replicator's
# own: it goes on, and does not take it for another one's.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse
start_server
export YORE_REPOSITORY=s3://yore/r
yore init -q --no-passphrase

ledger run app.db ledger 0.2 100 >run
server 'fault HEAD r/snap/* 1 error'
start_replicator --sync-interval 0.1
for _ in $(seq 40); do
	stored 2>err && break
	sleep 0.5
done
says replicate.log 'it has another length'
stored
ledger run app.db ledger 1 100 >run
stored
stop_replicator
check_points
yore umount mnt
# the same when it is not the first one
server 'fault HEAD r/snap/* 1 error'
sqlite3 app.db 'pragma wal_checkpoint(truncate)' >/dev/null
ledger run app.db ledger 0.2 100 >run
start_replicator --sync-interval 0.1
for _ in $(seq 40); do
	stored 2>err && break
	sleep 0.5
done
exactly "$(grep -c 'it has another length' replicate.log)" 2 'snapshots in doubt'
stored
stop_replicator
check_points
