#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# yore check of a bucket from which a pack is gone: a key that only reads names
# what is lost, one that writes has it healed by the next backup.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

mkdir -p tree/{1..40} bucket
for d in {1..40}; do
	for i in {1..12}; do head -c 1500 /dev/urandom >tree/$d/file$i; done
done
yore init -q --no-passphrase -r bucket/r
for n in {1..4}; do
	date +%N >tree/$n/new
	yore backup -q -r bucket/r --host h --source t tree
done
rm "$(find bucket/r/data -type f | sort | head -n 1)"
start_server
export YORE_REPOSITORY=s3://yore/r

as ro
mark
run_status 3 yore check
says out '^missing: data/.*: the pack is not there$'
says out '^  lost: h/t@.*:1/file1$'
says err 'could not be marked'
exactly "$(asked PUT)" 1 'puts of check, which is denied,'
mark
run_status 3 yore check --no-mark
exactly "$(asked PUT)" 0 'puts of check --no-mark'

as rw
run_status 3 yore check
says out '^1 frame marked'
# files are read again because what they refer to is marked
yore backup -q --host h --source t tree
run_status 0 yore check --read-data
says out '^1 fault from before, healed since$'
