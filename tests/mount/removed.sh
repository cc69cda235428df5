#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who still stands in a snapshot that was removed gets ESTALE and one log line.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

control=$scratch/control
start points=70 control="$control"
cd "$snapshots/2026-01-01T01-00-00Z" || exit 1
stat . >/dev/null

# never opened, so it cannot be opened any more
echo 2 70 >"$control"
kill -HUP "$pid"
until_true test ! -e "$snapshots/2026-01-01T01-00-00Z"
for _ in 1 2 3; do
	cat point 2>&1 | grep -q 'Stale file handle' || fail 'no ESTALE'
done
is 1 "$(grep -c 0000000200000001 "$log")" 'lines about it'
cd / || exit 1

# open when it is removed: it stays, however many others are opened
cd "$snapshots/2026-01-01T02-00-00Z" || exit 1
cat point >/dev/null
echo 3 70 >"$control"
kill -HUP "$pid"
until_true test ! -e "$snapshots/2026-01-01T02-00-00Z"
for other in "$snapshots"/*; do
	cat "$other/point" >/dev/null || fail "$other"
done
is 64 "$(metric yore_views)" 'open views'
is 123456789 "$(date -r big/f000050 +%N)" 'a file of the removed snapshot'
cd / && stop
