#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A repository in a bucket of Swift, which cannot refuse names that are taken.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_swift
export YORE_REPOSITORY=s3://yore/some/where
mkdir -p tree/sub
head -c 20000000 /dev/urandom >tree/big
for i in {1..50}; do echo "file $i" >tree/sub/$i; done
yore init -q --no-passphrase
run_status 1 yore init --no-passphrase
one_line err
yore backup -q --host h --source t tree
rm tree/sub/7
echo changed >tree/sub/8
yore backup -q --host h --source t tree

exactly "$(yore snapshots --json h/t | wc -l)" 2 snapshots
exactly "$(yore ls h/t:sub | wc -l)" 49 'names listed'
yore cat h/t:sub/8 | same - tree/sub/8
yore find h/t -name 8 | grep -q sub/8
yore restore -q h/t new
same_tree tree new
need_fuse
mkdir mnt
mount_yore mnt
same_tree tree mnt/latest/h/t
