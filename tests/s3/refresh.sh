#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A refresh of a mounted bucket is one LIST, and one GET when there is something
# new; the snapshot of a run that died between record and catalog comes, and one
# that was removed goes, with the next run of its source.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

start_server
export YORE_REPOSITORY=s3://yore/r
mkdir tree mnt
backup() {
	echo "$1" >tree/file
	yore backup --host h --source t --time "@$((1600000000 + $1))" tree \
		>/dev/null 2>said
}
snapshots() { ls mnt/sources/h/t/snapshots | wc -l; }

# refreshes WANTED LISTS GETS: one refresh comes to so many snapshots
refreshes() {
	local i before
	mark
	before=$(metric yore_refreshes_total)
	kill -HUP "$(daemon_of mnt)"
	for ((i = 0; i < 500; i++)); do
		[ "$(metric yore_refreshes_total)" = "$before" ] || break
		sleep 0.02
	done
	for ((i = 0; i < 100; i++)); do
		[ "$(snapshots)" != "$1" ] || break
		sleep 0.02
	done
	exactly "$(snapshots)" "$1" snapshots
	exactly "$(asked LIST)" "$2" 'LISTs of a refresh'
	exactly "$(asked GET)" "$3" 'GETs of a refresh'
}
metric() {
	awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }' \
		mnt/.yore/metrics
}

yore init -q --no-passphrase
backup 1
mount_yore -o refresh=0 "$work/mnt"
refreshes 1 1 0
backup 2
backup 3
refreshes 3 1 1

# no catalog is written: as if the run had been killed before
server 'fault PUT *cat/* 1+ 403'
backup 4
says said 'snapshot is safe, but the catalog was not written'
refreshes 3 1 0
server clear
backup 5
refreshes 5 1 1

# what was removed goes with the next run of its source
gone=$(cd bucket/r && echo snap/*/000000000002-*)
exactly "$(status_of DELETE "/r/$gone")" 204 'answer to DELETE'
refreshes 5 1 0
backup 6
refreshes 5 1 1
[ ! -e mnt/sources/h/t/snapshots/2020-09-13T12-26-42Z ] ||
	fail 'a removed snapshot is there'
