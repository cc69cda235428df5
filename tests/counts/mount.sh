#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Mounting costs a few requests, the same for few snapshots and for many;
# moments cost none; what is new costs one request a snapshot.
. "${top_srcdir:-.}/tests/counts/counts.sh" || exit 1

make_repository
mkdir tree
echo content >tree/file

# snapshots FROM TO: one a minute
snapshots() {
	local i
	for i in $(seq "$1" "$2"); do
		yore backup -q --host h --source tree \
			--time "@$((1600000000 + 60 * i))" tree
	done
}

cold() {
	remount
	total=$(($(gets) + $(lists))) read=$(bytes)
	echo "mount of $(ls mnt/sources/h/tree/snapshots | wc -l): $(gets)" \
		"gets, $(lists) lists, $read bytes, $(resident) KiB resident"
	at_most "$(resident)" 32768 'KiB of memory after mounting'
}

snapshots 1 10
cold
few=$total
at_most "$few" 6 'requests to mount 10 snapshots'
snapshots 11 300
cold
at_most "$read" 1048576 'bytes to mount'
at_most "$total" $((few + 1)) 'requests to mount 300 snapshots'

cost stat mnt/at/@1600003030/h/tree mnt/at/2020-09-13/h mnt/at/2h/h \
	mnt/at/yesterday/h mnt/at/2020-09-13T12:30:00Z/h/tree \
	mnt/sources/h/tree/at/10:32
exactly "$g" 0 'GETs of at/'

# a refresh: one listing, one GET a new snapshot at most (of a bucket the
# newest catalog has them all)
g0=$(gets) l0=$(lists)
snapshots 301 303
kill -HUP "$(daemon_of "$work/mnt")"
ls mnt >/dev/null
for _ in $(seq 100); do
	[ "$(metric yore_points)" != 303 ] || break
	sleep 0.1
done
at_most $(($(gets) - g0)) 3 'GETs of a refresh'
exactly $(($(lists) - l0)) 1 'LISTs of a refresh'
