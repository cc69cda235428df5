#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A store that cannot be reached for longer than the queue lasts: the application
# does not wait, the queue stays within its limit, and when the store is back
# what was queued is stored, and then all, as a new generation.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse

start_server
start_proxy
export YORE_REPOSITORY="s3://yore/r?timeout=2"
yore init -q --no-passphrase
ledger run app.db ledger 0.2 100 >run
start_replicator --sync-interval 0.1 --queue-limit 400k
stored
proxy refuse
ledger run app.db ledger 5 200 >run
cat run
run_status 1 yore status --max-lag 1 --state-dir "$state"
cat out
says out 'lag [1-9]'
says replicate.log 'queue is full'
kib=$(du -sk "$state" | cut -f1)
[ "$kib" -lt 2000 ] || fail "the queue takes $kib KiB"
run_status 1 yore sync --wait --state-dir "$state" app.db

proxy normal
for _ in $(seq 60); do
	stored 2>err && break
	sleep 1
done
stored
yore status --state-dir "$state"
check_points
[ "$(ls mnt/sources/h/app.db/generations | wc -l)" = 2 ] ||
	fail "not two generations: $(ls mnt/sources/h/app.db/generations)"
# beside the two bases
[ "$(ls -d mnt/sources/h/app.db/generations/*/points/*/* | wc -l)" -gt 2 ] ||
	fail 'what was queued is not there'
stop_replicator
