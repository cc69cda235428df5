#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A replica of Litestream 0.5 on Ceph, with keys that only read.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
. "$top_srcdir/tests/foreign/litestream05.sh"
need_root
need_fuse
start_ceph

replica v0.5.0 shop.db
while read -r file; do
	exactly "$(status_of PUT "/replicas/$file" --data-binary "@$file")" 200 \
		"$file"
done < <(find shop.db -type f)
as ro
export YORE_CACHE_DIR=$work/cache
mkdir mnt
for _ in cold warm; do
	mount_yore -o refresh=0 -r "s3://$s3_bucket/replicas" "$work/mnt"
	compare mnt shop.db v0.5.0
	yore umount mnt
done
