#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Replicas of all formats in a bucket: what was read once can be read again with
# the network gone, every state of it; what was not read is "Network is down".
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
. "$top_srcdir/tests/foreign/others.sh"
. "$top_srcdir/tests/foreign/litestream05.sh"
need_root
need_fuse

/usr/bin/python3 "$top_srcdir/tests/foreign/others.py" bucket
replica v0.5.16 bucket/ls/orders05.db
mkdir -p bucket/ls/orders03.db mnt
cp -r "$given/../litestream03/replica/." bucket/ls/orders03.db
chmod -R u+w bucket/ls
while IFS=$'\t' read -r path mtime _; do
	touch -d "@$mtime" "bucket/ls/orders03.db/$path"
done <"$given/../litestream03/mtimes.tsv"
start_server
as ro
export YORE_CACHE_DIR=$work/cache

# every point of the replica of 0.3, and each id that its table has
look_at_03() {
	local generation id sum point n=0
	for point in mnt/sources/litestream-0.3/orders03.db/generations/*/points/*/*
	do
		sqlite3 "$point/orders03.db" 'pragma integrity_check' >ok
		[ "$(cat ok)" = ok ] || fail "$point cannot be opened"
		n=$((n + 1))
	done
	[ $n = 36 ] || fail "0.3 has $n moments"
	while read -r generation id sum _; do
		# an index that was never there
		[ "$generation-$id" != 659262bdca7d241d-00000002 ] || continue
		[ "$(sha256sum <"mnt/by-id/$generation-$id/orders03.db.raw")" = \
			"$sum  -" ] || fail "$generation-$id"
	done <"$given/../litestream03/expected-index.tsv"
}

look_at_all() {
	look_at mnt bucket.expected.tsv
	compare mnt orders05.db v0.5.16
	look_at_03
	same mnt/sources/zlayer/orders.wal/latest/*.wal.zst \
		"$(ls -t bucket/sqlite/orders/wal/*.zst | head -n 1)"
}

mount_yore -o refresh=0,nostore -r s3://yore "$work/mnt"
look_at_all
yore umount mnt
# every point was read, some of them twice: no object was asked for again
since | awk '$4 == "GET" && $NF ~ /(lz4|gz)$/ { print $NF }' | sort >got
[ "$(wc -l <got)" -gt 35 ] || fail "$(wc -l <got) objects were read"
[ -z "$(uniq -d got)" ] || fail "again: $(uniq -d got)"
# nor are they by the next mount, which asks for listings and two marks
mark
mount_yore -o refresh=0,nostore -r s3://yore "$work/mnt"
look_at_all
yore umount mnt
since | awk '$4 == "GET" { print $NF }' >got
[ "$(sort got | xargs)" = '/yore/backups/shop/LATEST_FULL /yore/format /yore/metrics/.lifecycle/backup/latest' ] ||
	fail "asked again for $(xargs <got)"
for _ in 1 2; do
	mark
	mount_yore --offline -o refresh=1 -r s3://yore "$work/mnt"
	look_at_all
	yore umount mnt
	exactly "$(asked)" 0 'requests offline'
done

# the listings of a replica, and nothing of what is in it
export YORE_CACHE_DIR=$work/another
mount_yore -o refresh=0 -r s3://yore "$work/mnt"
ls mnt/sources/*/* >/dev/null
yore umount mnt
mount_yore --offline -r s3://yore "$work/mnt"
! cat mnt/latest/alopex/metrics/lsm.wal 2>err >out || fail 'read from nowhere'
says err 'Network is down'
! cat mnt/latest/litestream-0.3/orders03.db/orders03.db 2>err >out ||
	fail 'read from nowhere'
says err 'Network is down'
yore umount mnt
rm -r "$YORE_CACHE_DIR"
run_status 1 yore ls --offline -r s3://yore
one_line err
says err 'offline'
