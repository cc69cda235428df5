#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Replicas that appear below a bucket or a directory while it is mounted are
# shown with the next refresh; one that cannot be shown yet says why, once, and
# is shown when it can be.  What that costs is a listing of each folder above.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
. "$top_srcdir/tests/foreign/litestream05.sh"
need_root
need_fuse

sources() { (cd mnt/sources && echo */*); }

# refresh UNTIL: refreshes until the sources are these.
refresh() {
	local i
	kill -HUP "$daemon"
	for ((i = 0; i < 100; i++)); do
		[ "$(sources)" != "$1" ] || return 0
		sleep 0.05
	done
	fail "sources are $(sources), not $1"
}

# mounted ADDRESS: mounts it without a daemon's fork, to signal it.
mounted() {
	yore mount -f -o refresh=0 -r "$1" "$PWD/mnt" 2>>said &
	daemon=$!
	servers+=("$daemon")
	mounts+=("$PWD/mnt")
	until [ -d mnt/sources ]; do sleep 0.05; done
}

mkdir mnt
replica v0.5.0 all/prod/shop.db
mounted all
[ "$(sources)" = litestream/shop.db ] || fail "$(sources)"
replica v0.5.16 orders.db
mkdir all/new
mv orders.db all/new
refresh 'litestream/orders.db litestream/shop.db'
compare mnt shop.db v0.5.0
compare mnt orders.db v0.5.16
# of a name that is taken: by its whole path
replica v0.5.0 again.db
mv again.db all/new/shop.db
refresh 'litestream/new-shop.db litestream/orders.db litestream/shop.db'
# another format, of which nothing was there
/usr/bin/python3 "$top_srcdir/tests/foreign/others.py" others
mv others/backups all
refresh 'litestream/new-shop.db litestream/orders.db litestream/shop.db tito/shop tito/shop.unfinished'
# a layout that is refused is said once, and shown when it is another one
mkdir -p all/later/state
touch all/later/LATEST_STATE_FULL
for _ in 1 2 3; do
	kill -HUP "$daemon"
	sleep 0.3
done
[ "$(grep -c 'later than 0.4.7' mnt/.yore/log)" = 1 ] || fail "$(cat mnt/.yore/log)"
grep -q ' warning: .*later/ holds backups of a tito later' mnt/.yore/log
rm all/later/LATEST_STATE_FULL
cp -r all/backups/shop/* all/later
refresh 'litestream/new-shop.db litestream/orders.db litestream/shop.db tito/later tito/later.unfinished tito/shop tito/shop.unfinished'
yore umount mnt

# in a bucket; known there after a remount without a network
mv all bucket
start_server
as rw
export YORE_CACHE_DIR=$work/cache
mounted s3://yore
replica v0.5.0 more.db
before=$(sources)
mark
kill -HUP "$daemon"
sleep 0.7
# the root, backups/, new/ and prod/, and no folder of a replica
exactly "$(asked LIST 'delimiter=')" 4 'listings of folders'
(cd more.db && find . -type f -printf '%P\n') | while read -r name; do
	[ "$(status_of PUT "/prod/more.db/$name" \
		--data-binary "@more.db/$name")" = 200 ] || fail "$name"
done
refresh "${before/litestream\/new-shop.db/litestream\/more.db litestream\/new-shop.db}"
compare mnt more.db v0.5.0
yore umount mnt
mount_yore --offline -r s3://yore "$work/mnt"
compare mnt more.db v0.5.0
