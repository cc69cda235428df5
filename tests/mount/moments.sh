#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every moment of a database is a directory; at/ leads to the newest not later.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

export TZ=UTC
start moments=4000
db=$mnt/sources/web2/orders.db
points=$db/generations/2026-01-01T23-50-00Z/points
later=$db/generations/2026-01-01T23-58-20Z/points
day=$points/2026-01-01

is '2026-01-01 ' "$(ls "$points" | tr '\n' ' ')" 'days of the first generation'
is '2026-01-01 2026-01-02 ' "$(ls "$later" | tr '\n' ' ')" 'and of the second'
is '2000 400 1600 ' "$(for d in "$day" "$later"/*; do ls "$d" | wc -l
	done | tr '\n' ' ')" 'moments in them'
is '23-50-00.000Z 23-50-00.001Z 23-50-00.001Z-2 23-50-00.500Z ' \
	"$(ls "$day" | head -n 4 | tr '\n' ' ')" 'the first'
is 00002 "$(cat "$day/23-50-00.001Z-2/orders.db")" 'the third'
is '00002 00002' "$(cat "$points/../points/2026-01-01/23-50-00.001Z-2/"* |
	xargs)" 'files of a moment'
for none in 23-50-00.002Z 23-50-00.001Z-3 23-50-00Z 23-58-20.000Z x; do
	[ ! -e "$day/$none" ] || fail "$none is there"
done
[ ! -e "$points/2026-01-02" ] || fail 'a day without moments'

at() {
	is "$2" "$(cat "$db/at/$1/orders.db")" "at/$1 of the source"
	is "$2" "$(cat "$mnt/at/$1/web2/orders.db/orders.db")" "at/$1"
}
at 2026-01-01T23-50-07.000Z 00028
at 2026-01-01T23:50:07.001Z 00030
at @1767311407.001399999 00029
at 2026-01-01T23:50:07.499Z 00030
at 2026-01-01T23:50:07Z 00031
at 2026-01-02T00:58:20+01:00 02003
at now 03999
[ ! -e "$db/at/2026-01-01T23:49:59Z" ] || fail 'at/ before the first'
is home "$(ls "$mnt/at/2026-01-01T23:49:59Z/web2")" 'sources before the first'
is 00031 "$(cat "$mnt/by-id/000000090000001f/orders.db")" 'by id'
[ ! -e "$mnt/by-id/000000090000ffff" ] || fail 'an id that nobody has'

is generations/2026-01-01T23-58-20Z/points/2026-01-02/00-06-39.500Z \
	"$(readlink "$db/latest")" latest
is 03999 "$(cat "$mnt/latest/web2/orders.db/orders.db")" 'the top latest'
own() {
	getfattr --only-values --absolute-names -n "user.yore.$1" "$2"
}
is web2/orders.db "$(own source "$db/latest/")" source
is 2026-01-01T23-50-00.001Z-2 "$(own time "$day/23-50-00.001Z-2")" time

# SQLite looks for files that are never there: asked once
moment=$day/23-50-03.001Z
stat "$moment/orders.db" >/dev/null
for suffix in -wal -shm -journal; do
	[ ! -e "$moment/orders.db$suffix" ] || fail "orders.db$suffix is there"
	is 'lookup=0 ' "$(between lookup -- test -e "$moment/orders.db$suffix")" \
		"looking for orders.db$suffix again"
done
stop
