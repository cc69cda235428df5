#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots come and go without a remount, and no cache hides it.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

control=$scratch/control
points() {
	local before
	before=$(metric yore_refreshes_total)
	echo "$*" >"$control"
	kill -HUP "$pid"
	until_true refreshed "$before"
}
refreshed() {
	[ "$(metric yore_refreshes_total)" -gt "$1" ]
}

start points=4 control="$control"
is 4 "$(ls "$snapshots" | wc -l)" snapshots
is 00004 "$(cat "$mnt/sources/web1/home/latest/point")" latest
is 00004 "$(cat "$mnt/at/now/web1/home/point")" 'at/now'
is 00004 "$(cat "$home/point")" 'the top latest'
cat "$snapshots/2026-01-01T01-00-00Z/point" >/dev/null
exec 3<"$snapshots/2026-01-01T01-00-00Z/pieces"
head -c 1000 <&3 >/dev/null

points 1 6
sleep 1.2
is 6 "$(ls "$snapshots" | wc -l)" 'snapshots after a refresh'
is 00006 "$(cat "$mnt/sources/web1/home/latest/point")" 'latest after it'
is 00006 "$(cat "$mnt/at/now/web1/home/point")" 'at/now after it'
is 00006 "$(cat "$home/point")" 'the top latest after it'

points 3 6
sleep 1.2
is 4 "$(ls "$snapshots" | wc -l)" 'snapshots after two were removed'
[ ! -e "$snapshots/2026-01-01T01-00-00Z" ] || fail 'a removed one is there'
[ ! -e "$mnt/by-id/0000000200000001" ] || fail 'and by its id'
is 2999000 "$(wc -c <&3)" 'what an open file still has'
exec 3<&-

points 3 6 fail
is 4 "$(ls "$snapshots" | wc -l)" 'snapshots after a failed refresh'
points 3 6 fail
is 1 "$(grep -c 'cannot refresh' "$log")" 'lines about it'
stop
