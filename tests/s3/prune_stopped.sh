#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/upkeep/prune_stopped.sh with its repository in a bucket of Ceph.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_ceph
export TEST_BUCKET=$s3_bucket
bash "$top_srcdir/tests/upkeep/prune_stopped.sh" >out 2>&1 ||
	{ tail -n 20 out; fail 'with a repository in a bucket'; }
cat out
