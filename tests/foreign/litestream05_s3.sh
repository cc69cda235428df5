#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Replicas of Litestream 0.5 in a bucket: what is asked of it, with keys that
# only read; what was read once is not asked for again, nor is anything offline.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
. "$top_srcdir/tests/foreign/litestream05.sh"
need_root
need_fuse

replica v0.5.0 bucket/shop.db
replica v0.5.16 bucket/orders.db/x
mkdir mnt
for level in bucket/orders.db/x/ltx/*; do
	mv "$level" "bucket/orders.db/000${level##*/}"
done
# a database of 80 MB that packs badly, and a change to it
sqlite3 before 'pragma journal_mode = wal; create table t(id integer primary key,
	v blob); with recursive n(i) as (select 1 union all select i + 1 from n
	where i < 19000) insert into t select i, randomblob(4000) from n;
	pragma wal_checkpoint(truncate)' >/dev/null
cp before after
sqlite3 after "update t set v = 'new' where id % 1000 = 0;
	pragma wal_checkpoint(truncate)" >/dev/null
mkdir -p bucket/big/ltx/{0,9}
make_ltx() { # LEVEL FROM TO MS BEFORE AFTER
	"$top_builddir/tests/foreign/make_ltx" "${@:2}" \
		>"bucket/big/ltx/$1/000000000000000$2-000000000000000$3.ltx"
}
make_ltx 9 1 1 1767225600000 - before
make_ltx 0 2 2 1767225601000 before after
start_server
as ro
export YORE_CACHE_DIR=$work/cache

mount_yore -o refresh=0,nostore -r s3://yore "$work/mnt"
compare mnt shop.db v0.5.0
compare mnt orders.db v0.5.16
yore umount mnt

# a row of a big one: a few requests, nothing read as a whole
mark
mount_yore -o refresh=0,nostore -r s3://yore/big "$work/mnt"
db=mnt/sources/litestream/big/latest/big
[ "$(sqlite3 $db 'select v from t where id = 12000')" = new ] || fail 12000
at_most "$(asked)" 30 requests
at_most "$(since | awk '{ n += $7 } END { print n }')" 2000000 bytes
[ "$(getfattr --only-values -n user.yore.unverified "$db")" = \
	ltx/9/0000000000000001-0000000000000001.ltx ] || fail unverified
cmp "$db.raw" after || fail 'the database differs'
cmp mnt/by-id/0000000000000001/big.raw before || fail 'and so did it before'
yore umount mnt

# again: what is new, and nothing else
mark
mount_yore -o refresh=0,nostore -r s3://yore/big "$work/mnt"
cmp "$db.raw" after || fail 'the database differs'
exactly "$(asked GET ltx)" 0 'GETs of what was read before'
yore umount mnt
mark
mount_yore --offline -o refresh=0 -r s3://yore/big "$work/mnt"
cmp "$db.raw" after || fail 'the database differs offline'
exactly "$(asked)" 0 'requests offline'
