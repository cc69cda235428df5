#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a prune asks of a bucket: of each pack that it copies from its table and,
# though a walk comes back to each of them again and again, what is used of it,
# once; and many of them at the same time.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

mkdir tree bucket
yore init -q --no-passphrase -r bucket/r
for i in {10..33}; do
	for k in 1 2 3; do head -c 150000 /dev/urandom >"tree/$k.$i"; done
	yore backup -q -r bucket/r --host h --source t tree
done
packs=$(find bucket/r/data -type f | wc -l)
exactly "$packs" 24 packs
start_server
start_proxy delay=20
export YORE_REPOSITORY=s3://yore/r
yore forget -q --keep-last 2 h/t
sleep 1.1

mark
yore prune --grace 1s --unsafe-grace >out
says out '^condemned 24 packs, .* after copying'
echo "$(asked) requests; of data $(asked GET r/data/) gets," \
	"$(most_in_flight GET r/data/) at a time"
at_most "$(asked GET r/data/)" $((2 * packs + 4)) 'gets of data'
[ "$(most_in_flight GET r/data/)" -ge 6 ] || fail 'one after the other'
at_most "$(asked)" $((2 * packs + 80)) requests

sleep 1.1
mark
yore prune --grace 1s --unsafe-grace >out
says out '^deleted [0-9]+ packs'
at_most "$(asked GET r/data/)" 2 'gets of data of one that deletes'
at_most "$(asked GET r/idx/)" 8 'gets of segments'
at_most "$(asked)" 50 'requests of one that deletes'
yore restore -q h/t@latest back
same_tree tree back
