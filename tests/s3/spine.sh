#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Going six levels down a cold mount costs a request a level at most, and three
# in all where a change has written the way anew.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

start_server
export YORE_REPOSITORY=s3://yore/r
mkdir -p tree mnt
yore init -q --no-passphrase
# files DIRECTORY N: too long to lie in their entries
files() {
	mkdir -p "$1"
	head -c $(($2 * 150)) /dev/urandom |
		split -a 3 -b 150 - "$1/a name of some length "
}
# other directories lie before, between and behind those of the way
d=tree
for level in {1..6}; do
	for other in a b z; do
		files "$d/$other$level" 100
	done
	d=$d/$level
	files "$d" 150
done
yore backup -q --host h --source t tree
before=$(ls tree/1/2/3/4/5/6 | wc -l)

# descend WHAT: ls of every level of the newest snapshot, cold
descend() {
	local d=mnt/latest/h/t down
	mount_yore -o refresh=0 mnt
	mark
	for level in . 1 2 3 4 5 6; do
		d=$d/$level
		n=$(asked)
		ls -l "$d" >/dev/null
		at_most $(($(asked) - n)) 1 "requests of level $level"
	done
	exactly "$(ls $d | wc -l)" "$1" 'names at the bottom'
	down=$(since | sort -n -k7,7 | tail -n1 | awk '{ print $7 }')
	echo "$(asked) requests, the largest of $down bytes"
	at_most "$down" 262144 'bytes of one request'
	yore umount mnt
}

descend "$before"
touch tree/1/2/3/4/5/6/new
yore backup -q --host h --source t tree
descend $((before + 1))
at_most "$(asked)" 3 'requests down a new way'
# one request for all of it, when only the bottom is asked for
mount_yore -o refresh=0 mnt
mark
ls mnt/latest/h/t/1/2/3/4/5/6 >/dev/null
at_most "$(asked)" 3 'requests of ls of the bottom'
