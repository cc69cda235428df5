#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What Swift does otherwise than other S3 servers is known.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_swift
s3_endpoint=$s3_endpoint s3_region=$s3_region s3_bucket=$s3_bucket s3_rw=$s3_rw \
	timeout 60 python3 "$s3/contract.py" swift
