#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# New moments appear without a remount, and what was open stays what it was.
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

start moments=8 database="$control"
db=$mnt/sources/web2/orders.db
day=$db/generations/2026-01-01T23-50-01Z/points/2026-01-01
is 00007 "$(cat "$db/latest/orders.db")" latest
is 00007 "$(cat "$mnt/at/2026-01-01T23:50:02Z/web2/orders.db/orders.db")" at/
is 00005 "$(cat "$db/at/2026-01-01T23:50:01.001399Z/orders.db")" 'an earlier'
is 4 "$(ls "$day" | wc -l)" moments
exec 3<"$db/latest/orders.db"

moments 11
is 00010 "$(cat "$db/latest/orders.db")" 'latest after a refresh'
is 00010 "$(cat "$mnt/latest/web2/orders.db/orders.db")" 'the top latest'
is 00010 "$(cat "$mnt/at/2026-01-01T23:50:02Z/web2/orders.db/orders.db")" \
	'at/ after it'
is 00005 "$(cat "$db/at/2026-01-01T23:50:01.001399Z/orders.db")" 'an earlier'
is 7 "$(ls "$day" | wc -l)" 'moments after it'
is 00007 "$(cat <&3)" 'what was open before'
is 00009 "$(cat "$day/23-50-02.001Z/orders.db")" 'a new one'

# what has a successor needs no question, for a minute at least
is 'lookup=0 ' "$(between lookup -- \
	cat "$day/23-50-02.001Z/orders.db")" 'a moment seen before'

# those that are gone
moments 10
[ ! -e "$day/23-50-02.500Z" ] || fail 'a removed moment is there'
is 6 "$(ls "$day" | wc -l)" 'moments that are left'
moments 5
is snapshots/2026-01-01T23-50-01Z "$(readlink "$db/latest")" 'a snapshot'
stop

start moments=8 address=web2/orders.db@2026-01-01T23:50:00.001Z
is 00002 "$(cat "$mnt/orders.db")" 'a moment as the root'
stop
