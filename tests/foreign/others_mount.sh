#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A directory with what alopex, tito and zlayer-storage wrote is mounted as it
# is; ls, cat, diff and sqlite3 look at every state.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/foreign/others.sh"
need_root
need_fuse

mkdir mnt
/usr/bin/python3 "$top_srcdir/tests/foreign/others.py" all
mount_yore -r all mnt
look_at mnt all.expected.tsv

# the newest that alopex finished is latest, wherever the directory is now
backups=all/metrics/.lifecycle/backup
diff -r mnt/sources/alopex/metrics/latest/ $backups/ts-1791262800
diff -r mnt/by-id/ts-1791176400 $backups/ts-1791176400
diff -r mnt/tags/latest/alopex/metrics/latest/ $backups/ts-1791262800
file=mnt/by-id/ts-1791176400/lsm.wal
[ "$(getfattr --only-values -n user.yore.state $file)" = ok ]
! getfattr -n user.yore.unverified $file 2>err || fail 'still unverified'

# a time leads to the last state, before the first to none
[ "$(cat mnt/at/@1791248441/tito/shop/table/users/0000.json)" = '{"n": 0}' ]
! ls mnt/at/@1791250000/tito/shop/table/users/0000.json 2>err || fail deleted
! ls mnt/at/@1791245504/tito/shop 2>err || fail 'too early'
find mnt/at/@1791250000/tito/shop -type f | sort >found
[ "$(wc -l <found)" = 1002 ] || fail "$(wc -l <found) files"
[ "$(getfattr --only-values -n user.yore.key \
	mnt/at/@1791250000/tito/shop/event/e/1/2/3.json)" = event:e:1:2:3 ]
[ "$(cat mnt/sources/tito/shop/versions/table/users/0000.json/*)" = '{"n": 0}' ]
[ "$(ls mnt/sources/tito/shop/versions/table/users | wc -l)" = 1000 ]
[ ! -e mnt/sources/zlayer/orders/versions ] || fail 'versions of a database'
orders=mnt/at/2026-10-05T12-00-22Z/zlayer/orders/orders
[ "$(sqlite3 $orders 'select count(*) from t')" = 43 ] || fail 'zlayer at'
[ "$(sqlite3 mnt/latest/zlayer/orders/orders 'select count(*) from t')" = 46 ]
same mnt/sources/zlayer/orders.wal/latest/*.wal.zst \
	"$(ls -t all/sqlite/orders/wal/*.zst | head -n 1)"

# the commands take them as well
yore restore -q -r all tito/shop@1791245505: restored
[ "$(find restored -type f | wc -l)" = 1002 ] || fail restored
# damage is an error of that file, and of nothing else
echo x >$backups/ts-1791176400/sst/1791176400.sst
yore umount mnt
mount_yore -r all mnt
! cat mnt/by-id/ts-1791176400/sst/1791176400.sst 2>err || fail 'damage was read'
says err 'Input/output error'
cmp mnt/by-id/ts-1791176400/catalog/schema.json \
	$backups/ts-1791176400/catalog/schema.json
