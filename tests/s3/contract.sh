#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The test server does what a real S3 server does: Ceph is asked the same.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

contract() {
	s3_endpoint=$s3_endpoint s3_region=$s3_region s3_bucket=$s3_bucket \
		s3_rw=$s3_rw s3_ro=${s3_ro-} s3_put=${s3_put-} \
		timeout 60 python3 "$s3/contract.py" "$1" || fail "$1 differs"
}

start_server
contract server
start_ceph
contract ceph
