#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A second backup shows exactly the new state, and the first one still the old.
. "${top_srcdir:-.}/tests/fidelity/same.sh" || exit 1
need_root
need_fuse

# change DIR: one change of every kind, in a tree of make_everything.
change() {
	cd "$1"
	touch sizes/random-4096
	echo more >>sizes/text-262144
	echo appended >>sizes/random-5000001
	poke sizes/again 2500000 CHANGED
	truncate -s 1000 sizes/random-131073
	truncate -s 300000 sizes/text-131072
	chmod 604 sizes/random-128
	chown 77:88 sizes/random-129
	setfattr -n user.new -v value sizes/random-127
	setfattr -x user.a1 attributes/many
	setfacl -b attributes/acl
	setcap -r attributes/cap
	mv sizes/random-262144 names/moved
	mv list renamed-list
	rm renamed-list/100 names/$'new\nline'
	rm links/b/uno # one link less
	rm links/c/big # a link becomes a file
	cp links/a/big links/c/big
	ln -f sizes/db links/a/db # a file becomes a link
	ln -sfn elsewhere links/dangling
	rm fifo && mkdir fifo
	rmdir sticky && echo file >sticky
	rm -r attributes/dir
	poke holes/small 40000 x
	fallocate -p -o 524288 -l 131072 sizes/again # a new hole
	sync holes/* sizes/*
	touch -d '1960-01-01 00:00:00.7' times/new
	cd "$work"
}

make_everything tree
rm tree/holes/sparse # whole.sh reads a GiB
make_repository
mkdir mnt
yore backup -q --host h --source tree --time 2020-01-01T00:00:00Z tree
cp -a --sparse=always tree old
listing_of tree >old.list
archive_of tree >old.sum
mount_yore mnt
ls mnt/sources/h/tree/snapshots >/dev/null # the old state is in use

change tree
yore backup -q --host h --source tree --time 2020-01-02T00:00:00Z tree
yore umount mnt
mount_yore mnt
before=mnt/at/2020-01-01T12:00:00Z/h/tree after=mnt/at/2020-01-03/h/tree

listing_of "$before" | cmp - old.list
archive_of "$before" | cmp - old.sum
same_content old "$before"
same_listing tree "$after"
same_content tree "$after"
same_archive tree "$after"
cmp -s old.list <(listing_of tree) && fail 'nothing has changed'

# unchanged: nothing new
yore backup --json --host h --source tree tree >said
says said '"files_new": *0'
mount_new=mnt2 && mkdir $mount_new && mount_yore $mount_new
same_listing tree $mount_new/latest/h/tree
