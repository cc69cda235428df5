#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk that fills up during a backup: one line, status 1, nothing lost; and it
# goes on when there is room.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
need_root

mkdir disk
mount -t tmpfs -o size=16m,mode=700 yore-test disk
mounts+=("$work/disk")
make_repository disk/repo
bash "$top_srcdir/tests/fault/states.sh" tree 1
yore backup -q --host h --source t tree
cp -a tree before
bash "$top_srcdir/tests/fault/states.sh" tree 2

# restored SNAPSHOT TREE
restored() {
	rm -rf new
	yore restore -q "h/t$1" new
	same_tree "$2" new
}

first=$(yore snapshots --json h/t | sed -n 's/.*"snapshot": *"\([^"]*\)".*/\1/p')
[ -n "$first" ] || fail "no name: $(yore snapshots --json h/t)"
full=0
for room in 0 4 8 16 40 100 200 400 600 800 900 1000; do
	rm -f disk/ballast
	free=$(df --output=avail -k disk | tail -n 1)
	fallocate -l $((free - room))K disk/ballast
	status=0
	yore backup -q --host h --source t tree 2>err || status=$?
	[ $status = 0 ] && break
	[ $status = 1 ] || fail "$room KiB: status $status"
	one_line err
	says err 'No space left on device'
	[ -z "$(ls disk/repo/tmp)" ] || fail "$room KiB: tmp/ is not empty"
	[ "$(yore snapshots --json h/t | wc -l)" = 1 ] || fail 'a snapshot was made'
	restored "@$first" before
	full=$((full + 1))
done
[ $full -gt 5 ] || fail "the disk was full $full times only"

rm -f disk/ballast
yore backup -q --host h --source t tree
restored '' tree
restored "@$first" before
echo "$full times full"
