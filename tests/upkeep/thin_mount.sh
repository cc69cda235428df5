#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A mount while a database is thinned: what is open stays what it was, what is
# looked up is what there is now; and restore, by-id, listings of points.
. "${top_srcdir:-.}/tests/lib.sh"
need_fuse
export YORE_REPOSITORY=$work/repo
golden=$top_builddir/tests/golden
"$golden/databases" repo big
"$golden/points" repo >before
mkdir mnt
mount_yore -o refresh=1 mnt
at=mnt/sources/h/orders.db
days=$at/generations/2023-11-14T22-13-20Z/points
[ "$(ls "$days/2023-11-14" | wc -l)" = 81 ] || fail 'points are missing'

# a state in the middle, which is going to go
file=$days/2023-11-14/22-13-54.000Z/orders.db.raw
sum=$(sha256sum <"$file")
grep -q " 1700000034000000000 .*${sum%% *}" before || fail 'another moment'
exec 7<"$file" 8<"$at/snapshots/2023-11-14T22-13-20Z/orders.db.raw"
head -c 5000 <&7 >head
run_status 0 yore forget --thin=10s:all
(cat head - <&7) | sha256sum >out
grep -q "^${sum%% *}" out || fail 'what is open has changed'

for ((i = 0; i < 100; i++)); do
	ls "$days/2023-11-14" >listed
	[ "$(wc -l <listed)" = 19 ] && break
	sleep 0.1
done
[ "$(wc -l <listed)" = 19 ] || fail "$(wc -l <listed) points are listed"
grep -qx 22-13-49.000Z listed || fail 'a point is not listed'
[ ! -e "$days/2023-11-14/22-13-55.000Z" ] || fail 'a point has not gone'
grep " 0 1700000000000000000 " before >base
grep -q "$(sha256sum <&8 | cut -d' ' -f1)" base || fail 'the snapshot changed'

# 22:13:54 is gone, and means 22:13:49
grep " 1700000029000000000 " before >kept
for path in at/2023-11-14T22:13:4{9,9.5}Z/h/orders.db \
	at/2023-11-14T22:13:54Z/h/orders.db \
	sources/h/orders.db/at/2023-11-14T22:13:54Z; do
	sum=$(sha256sum <"mnt/$path/orders.db.raw")
	grep -q "${sum%% *}$" kept || fail "$path is another one"
done
run_status 0 yore restore h/orders.db@2023-11-14T22:13:54Z:orders.db there.db
run_status 0 yore restore h/orders.db@2023-11-14T22:13:54Z:orders.db raw.db
cmp there.db raw.db
grep -q "$(sha256sum <there.db | cut -d' ' -f1)" kept || fail 'restored another'
run_status 0 yore snapshots h/orders.db
[ "$(grep -c 2023-11-14 out)" = 2 ] || fail 'snapshots are more or less'

# by its new id; the old one is of nothing any more
id=$(yore snapshots --json h/orders.db | sed -n '1s/.*"id":"\([^"]*\)".*/\1/p')
sum=$(sha256sum <"mnt/by-id/$id-3/orders.db.raw")
grep -q "${sum%% *}$" kept || fail 'by-id is another one'
exec 7<&- 8<&-
