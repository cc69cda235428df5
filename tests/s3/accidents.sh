#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every fifth request breaks or is refused: nobody notices but the log.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

start_ceph
start_proxy seed=3 delay=2 jitter=3 reset=0.1 busy=0.1
export YORE_REPOSITORY=s3://yore/r
mkdir -p tree/sub
for i in {1..10}; do head -c 2000000 /dev/urandom >tree/$i; done
for i in {1..200}; do echo "file $i" >tree/sub/$i; done

yore init -q --no-passphrase
yore backup -q --host h --source t tree
echo changed >tree/sub/17
yore backup -q --host h --source t tree
as ro
yore restore -q h/t new
same_tree tree new
mkdir mnt
mount_yore mnt
same_tree tree mnt/latest/h/t
yore umount mnt
broken=$(since | awk '$9 != "-"' | wc -l)
[ "$broken" -ge 5 ] || fail "only $broken of $(asked) requests broke"
