#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What yore check asks of a bucket on Ceph: metadata is read in stretches.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

mkdir -p tree/{1..120}
for d in {1..120}; do
	for i in {1..12}; do head -c 1500 /dev/urandom >tree/$d/file$i; done
done
head -c 3000000 /dev/urandom >tree/big
start_ceph
start_proxy
export YORE_REPOSITORY=s3://yore/r
yore init -q --no-passphrase
for n in {1..6}; do
	date +%N >tree/$((n * 7))/new
	yore backup -q --host h --source t tree
done

# of each snapshot a record, a pack of pages and a segment; 120 directories
as ro
mark
run_status 0 yore check --no-mark
n=$(asked)
[ "$n" -ge 15 ] || fail "only $n requests were counted"
at_most "$n" $((6 * 3 + 20)) 'requests of check'
exactly "$(asked PUT)" 0 'puts of check'
mark
run_status 0 yore check --no-mark --read-data
says out '100.0 % of all has been verified'
# and of each of seven packs its end and all before that
at_most "$(asked)" $((n + 7 * 4)) 'requests of check --read-data'
