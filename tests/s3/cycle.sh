#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/upkeep/cycle.sh with its repository in a bucket of Ceph.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_ceph
export TEST_BUCKET=$s3_bucket YORE_TEST_CYCLES=${YORE_TEST_CYCLES:-4}
bash "$top_srcdir/tests/upkeep/cycle.sh" >out 2>&1 || { tail -n 20 out; fail cycle; }
tail -n 1 out
