#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Many readers, refreshes, forgetting and the end, all at once.  Meant to be
# run in builds with sanitizers too, whose complaints end up in the log.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

control=$scratch/control
start points=80 dirs=8 files=40 store=1 control="$control" refresh=1

reader() {
	for i in $(seq 4); do
		for tree in "$snapshots"/*[$1]-00-00Z; do
			cat "$tree"/00[0-7]/* | md5sum
			ls -lR "$tree/big" >/dev/null
		done
		versions=$mnt/sources/web1/home/versions
		ls -lR "$versions/00$1" "$versions/kinds"
		cat "$versions/point"/*[$1]-00-00Z "$versions/00$1"/f*/*
		ls "$versions/.versions"/*[$1]-00-00Z "$versions/$i"
		getfattr -dm- "$mnt/at/$i$1"m/web1/home/point
		ls -l "$mnt/latest/web1" "$mnt/tags/even/web2/home" "$mnt/.yore"
		cat "$mnt/.yore/metrics" "$mnt/.yore/status"
	done >/dev/null 2>&1
}
readers=()
for n in 0 1 2 3 4 5; do
	reader $n &
	readers+=($!)
done
for last in 79 78 60 80 77; do
	echo "5 $last" >"$control"
	kill -HUP "$pid"
	forget
	sleep 0.5
done
wait "${readers[@]}"
is 73 "$(ls "$snapshots" | wc -l)" 'snapshots at the end'

# and the end comes while everybody reads
for n in 0 1 2; do
	reader $n &
done
sleep 0.5
stop
wait
grep -E 'Sanitizer|runtime error|data race' "$log" && fail 'see above'
exit 0
