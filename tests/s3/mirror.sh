#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Mirrors of buckets: from a directory, into another bucket's prefix, and back.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_ceph
start_proxy
echo pass >pass
export YORE_PASSWORD_FILE=$work/pass
yore init -q -r repo
mkdir tree
for ((i = 0; i < 3; i++)); do
	head -c 12000000 /dev/urandom >tree/$i
	yore backup -q -r repo --host h --source t tree
done
mirror() { env -u YORE_PASSWORD_FILE yore copy -q --mirror -r "$1" --to "$2"; }

# killed on its way up, it goes on
timeout -s KILL 0.4 env -u YORE_PASSWORD_FILE yore copy -q --mirror -r repo --to "s3://$s3_bucket/m" || :
mirror repo "s3://$s3_bucket/m"
mark
mirror repo "s3://$s3_bucket/m"
exactly "$(asked PUT)" 0 'PUTs of what is there'
exactly "$(asked BEGIN)" 0 'uploads of what is there'

mark
mirror "s3://$s3_bucket/m" "s3://$s3_bucket/second"
at_most 4 "$(most_in_flight)" 'requests at one time'
mirror "s3://$s3_bucket/second" back
diff -r repo back -x tmp
yore restore -q -r "s3://$s3_bucket/second" h/t out
same_tree tree out
