#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The same in a bucket of Ceph, where times are those of uploading.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
. "$top_srcdir/tests/foreign/others.sh"
need_root
need_fuse
[ -n "$(command -v radosgw)" ] || { echo 'needs radosgw'; exit 77; }

start_ceph
mkdir mnt
/usr/bin/python3 "$top_srcdir/tests/foreign/others.py" all 0.01
# in the order in which they were written; zlayer's seconds are told apart
find all -type f -printf '%T@ %P\n' | sort -n | cut -d' ' -f2- >names
while read -r name; do
	[ "$(status_of PUT "/p/$name" --data-binary "@all/$name")" = 200 ] ||
		fail "$name"
	[[ $name != *.zst ]] || sleep 1.1
done <names
as ro
mount_yore -r "s3://$s3_bucket/p" mnt
look_at mnt all.expected.tsv
yore umount mnt
