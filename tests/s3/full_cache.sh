#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A cache whose disk is full, or fills up while a mount reads: everything is read
# all the same, from the store; and what there is room for again is kept.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_root
need_fuse

mkdir -p tree/{small,large} mnt disk bucket
for i in {1..300}; do head -c $((i * 37)) /dev/urandom >tree/small/$i; done
for i in {1..8}; do head -c 3000000 /dev/urandom >tree/large/$i; done
yore init -q --no-passphrase -r bucket/r
yore backup -q -r bucket/r --host h --source t tree
start_server
export YORE_REPOSITORY=s3://yore/r YORE_CACHE_DIR=$work/disk/cache

on_ext4() {
	truncate -s 16M image
	mkfs.ext4 -q -m 0 image
	mount -o loop image disk
}
on_tmpfs() { mount -t tmpfs -o size=12m,mode=700 yore-test disk; }

right() {
	timeout 100 diff -r tree mnt/latest/h/t >differences 2>&1 ||
		fail "$disk, $1: $(head -3 differences)"
}
# fill KIB: all of the disk but this
fill() {
	rm -f disk/ballast
	local free
	free=$(df --output=avail -k disk | tail -n 1)
	fallocate -l $((free - $1))K disk/ballast 2>/dev/null ||
		head -c $(((free - $1) * 1024)) /dev/zero >disk/ballast 2>/dev/null || :
}

for disk in ext4 tmpfs; do
	on_$disk
	mounts+=("$work/disk")
	# more to read than there is room, and a limit far above it
	mount_yore -o refresh=0 mnt 2>err
	right 'full from reading'
	yore umount mnt
	yore cache limit 100M --min-free 0
	mount_yore -o refresh=0 mnt 2>err
	right 'full again'
	yore umount mnt
	# others fill it, before and during
	for room in 0 4 64 400 2000; do
		rm -rf disk/*
		mount_yore -o refresh=0 mnt 2>err
		yore cache limit 100M --min-free 0
		cat mnt/latest/h/t/large/1 >/dev/null
		fill $room
		right "$room KiB left"
		yore umount mnt
		mount_yore -o refresh=0 mnt 2>err
		right "mounted with $room KiB left"
		yore umount mnt
	done
	# room again
	rm disk/ballast
	mount_yore -o refresh=0 mnt 2>err
	cat mnt/latest/h/t/large/[12] >/dev/null
	yore umount mnt
	mount_yore -o refresh=0 mnt
	mark
	cat mnt/latest/h/t/large/[12] | cmp - <(cat tree/large/[12])
	exactly "$(asked GET data)" 0 "requests on $disk for what there was room for"
	yore umount mnt
	# what is told to be kept and cannot be is said so
	fill 1000
	yore cache clear 2>/dev/null || :
	run_status 1 yore prefetch h/t
	one_line err
	umount disk
	echo "$disk: read"
done
