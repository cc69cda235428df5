#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A directory with replicas of Litestream 0.5 is mounted as it is: any program
# opens any of their moments, with no flags.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/foreign/litestream05.sh"
need_root
need_fuse

mkdir mnt
replica v0.5.16 all/prod/orders.db
replica v0.5.0 all/shop.db
replica v0.5.16 all/test/orders.db
# what is newest comes later
mkdir later
mv all/prod/orders.db/ltx/0/*{23,24}.ltx all/prod/orders.db/ltx/1/*24.ltx later
mv all/test/orders.db/ltx all/test/orders.db/x
for level in all/test/orders.db/x/*; do
	mv "$level" "all/test/orders.db/000${level##*/}"
done
rmdir all/test/orders.db/x

yore mount -f -r all "$PWD/mnt" &
servers+=($!)
mounts+=("$PWD/mnt")
until [ -d mnt/sources ]; do sleep 0.05; done
[ "$(cd mnt/sources && echo */*)" = \
	'litestream/prod-orders.db litestream/shop.db litestream/test-orders.db' ]
compare mnt shop.db v0.5.0
compare mnt test-orders.db v0.5.16

orders=mnt/sources/litestream/prod-orders.db
[ "$(sqlite3 "$orders/latest/orders.db" 'select max(id) from t')" = 145 ]
[ "$(sqlite3 mnt/at/2026-11-20T20-35-48.500Z/litestream/prod-orders.db/orders.db \
	'select count(*), sum(step), max(id) from t')" = '53|469|70' ] || fail at
! sqlite3 "$orders/latest/orders.db" 'delete from t' 2>err || fail written
! ls "$orders/latest/orders.db-wal" 2>/dev/null || fail 'a -wal'
! ls mnt/at/2026-11-20T20-35-27Z/litestream/prod-orders.db 2>/dev/null ||
	fail 'something before the first state'
exec 3<"$orders/latest/orders.db.raw"
before=$(sha256sum <"$orders/latest/orders.db.raw")
mv later/*{23,24}.ltx all/prod/orders.db/ltx/0
kill -HUP "${servers[0]}"
for ((i = 0; i < 100; i++)); do
	now=$(getfattr --only-values -n user.yore.id "$orders/latest/.")
	[ "$now" != 0000000000000024 ] || break
	sleep 0.05
done
[ "$now" = 0000000000000024 ] || fail "latest is $now"
[ "$(sha256sum <&3)" = "$before" ] || fail 'what was open has changed'
exec 3<&-
compare mnt prod-orders.db v0.5.16

# the commands take it as well, and say what they cannot take
yore cat -r all litestream/shop.db@0000000000000004:shop.db.raw >one
[ "$(sha256sum <one)" = "$(awk '/^0*4\t/ { print $2 "  -" }' \
	"$given/v0.5.0/expected-txid.tsv")" ] || fail 'yore cat'
run_status 10 yore ls -r all --format alopex
one_line err
says err 'no replica there .* looked for alopex'
run_status 10 yore ls -r later
one_line err
says err 'no yore repository there; .*; looked for litestream \('
