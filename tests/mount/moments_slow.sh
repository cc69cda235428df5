#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A store that hangs when asked for moments keeps nobody else waiting.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

control=$scratch/control
refreshed() {
	[ "$(metric yore_refreshes_total)" -gt "$1" ]
}
moments() {
	local before
	before=$(metric yore_refreshes_total)
	echo "$*" >"$control"
	kill -HUP "$pid"
	until_true refreshed "$before"
	sleep 1.1 # what passes is held for a second
}

start moments=11 database="$control" points=4 control="$scratch/snapshots"
db=$mnt/sources/web2/orders.db
day=$db/generations/2026-01-01T23-50-01Z/points/2026-01-01
cat "$day/23-50-02.001Z/orders.db" "$db/latest/orders.db" \
	"$mnt/at/now/web2/orders.db/orders.db" >/dev/null

moments 11 hang
ls "$day" >"$scratch/ls" 2>&1 &
blocked=$!
sleep 0.3
is 00009 "$(timeout 5 cat "$day/23-50-02.001Z/orders.db")" 'beside a slow ls'
is 00004 "$(timeout 5 cat "$mnt/latest/web1/home/point")" 'another source'
timeout 5 ls "$mnt/at/now/web2" "$db" >/dev/null || fail 'listings hang too'
echo 1 6 >"$scratch/snapshots"
moments 11 hang
is 6 "$(timeout 5 ls "$snapshots" | wc -l)" 'snapshots after a refresh'
kill -0 $blocked || fail 'ls did not wait'
began=$(date +%s%N)
kill -TERM $blocked
wait $blocked
took=$((($(date +%s%N) - began) / 1000000))
[ $took -lt 5000 ] || fail "ls ended $took ms after it was told to"

moments 11 fail
ls "$day" 2>"$scratch/err" && fail 'ls of a store that fails'
grep -q 'Input/output error' "$scratch/err" || fail "$(cat "$scratch/err")"
grep -q 'told to fail' "$log" || fail 'no reason is logged'
moments 12
is 7 "$(ls "$day" | wc -l)" 'moments when it works again'
stop
