#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A cold mount of a bucket costs six requests in two rounds, of 10 snapshots
# and of 10,000; a refresh one, and one more when there is something new; the
# snapshot of a run that died before its catalog comes with the next.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

make_snapshots() { "$top_builddir/tests/s3/many" bucket/r "$1"; }

# serve: what is below $work/bucket, as it is now
serve() {
	[ ${#servers[@]} = 0 ] || kill "${servers[@]}"
	servers=()
	rm -f server.log
	start_server
	# each answer takes so long that rounds can be told apart
	server 'fault * * 1+ delay=300'
}

# cold SNAPSHOTS: mount, and see what that cost; sets n
cold() {
	mark
	mount_yore -r s3://yore/r -o refresh=0 mnt
	n=$(asked)
	down=$(since | awk '{ n += $7 } END { print n }')
	rounds=$(since | sort -n | awk 'BEGIN { last = -1000 } $1 > last + 150 { r++ }
		{ last = $1 } END { print r }')
	echo "mount of $1: $n requests ($(asked LIST) lists) in $rounds" \
		"rounds, $down bytes"
	since | sort -n
	at_most "$n" 6 "requests to mount $1 snapshots"
	at_most "$down" 1048576 "bytes to mount $1 snapshots"
	at_most "$rounds" 3 'rounds one after the other'
	exactly "$(asked LIST snap)" 0 'LISTs of snap/'
	exactly "$(ls mnt/sources/h/t/snapshots | wc -l)" "$1" snapshots
	mark
	ls mnt/at/@1600000000 mnt/at/2h/h mnt/latest/h >/dev/null
	exactly "$(asked)" 0 'requests for moments'
	ls mnt/latest/h/t >/dev/null
	exactly "$(asked)" 1 'requests of the first ls'
	yore umount mnt
}

mkdir -p bucket tree mnt
echo content >tree/file
yore init -q --no-passphrase -r bucket/r
yore backup -q -r bucket/r --host h --source t --time @1600000000 tree
make_snapshots 9
serve
cold 10
few=$n
make_snapshots 9990
serve
cold 10000
at_most "$n" $((few + 1)) 'requests for more snapshots'
