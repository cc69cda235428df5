#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who waits for a silent store to list the versions of a file can be stopped;
# the list is whole afterwards.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

mkdir -p bucket tree mnt
yore init -q --no-passphrase -r bucket/r
for i in {1..8}; do
	echo "$i" >tree/file
	yore backup -q -r bucket/r --host h --source t --time "@$((60 * i))" tree
done
start_server
mount_yore -r s3://yore/r -o refresh=0 mnt
file=mnt/sources/h/t/versions/file
server 'fault GET *snap* 3+ stall'
status=0
timeout -k 20 -s INT 1 env --default-signal=INT ls $file || status=$?
exactly "$status" 124 'status of who was interrupted'
server clear
exactly "$(ls $file | wc -l)" 8 'versions after that'
