#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Pruning a bucket, with a key that backs up nothing, beside a host whose key may
# only put: packs go many at a time, and what that host refers to stays.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_ceph
start_proxy
export YORE_REPOSITORY=s3://yore/r
prune() { yore prune --grace 1s --unsafe-grace "$@"; }
# pruned WHAT PATTERN: one prune, two seconds later, that says so
pruned() {
	sleep 2.1
	mark
	prune >out
	says out "$2"
	echo "$1: $(asked) requests, $(asked LIST) lists, $(asked GET) gets, $(asked PUT) puts"
	whole a
}
snapshot() {
	rm -rf "$1.was"
	cp -a "$1" "$1.was"
	yore backup -q --host h --source "$1" "$1"
}
blind() { as put; snapshot b; as rw; }
whole() {
	rm -rf back
	yore restore -q "h/$1@latest" back 2>restore.err || fail "$1: $(cat restore.err)"
	same_tree "$1.was" back
}

yore init -q --no-passphrase
mkdir a b
for i in 1 2 3 4; do
	for k in {1..20}; do head -c 9000 /dev/urandom >a/$i.$k; done
	head -c 900000 /dev/urandom >a/big$i
	snapshot a
	rm -f a/big$((i - 1)) a/$((i - 1)).*
done
yore forget -q --keep-last 1 h/a
pruned first '^condemned .* of no use'
exactly "$(asked DELETE 'r/(data|meta)')" 0 'packs deleted at once'
pruned second '^deleted [0-9]+ packs'
at_most "$(asked BATCH)" 4 'removals of many'
sleep 2.1
prune -q
[ "$(prune -n --json | tail -n 1 | jq '.deleted_packs + .condemned_packs')" = 0 ] ||
	fail 'something is left for ever'

# a host that cannot read; what its newest snapshot refers to stays where it is
head -c 800000 /dev/urandom >b/one
head -c 700000 /dev/urandom >b/two
snapshot b
rm b/one && blind
yore forget -q --keep-last 1 h/b
for _ in 1 2 3; do sleep 2.1; prune -q --threshold 99; done
echo more >b/three
blind
for s in b a; do whole $s; done
[ ! -s restore.err ] || fail "not quietly: $(cat restore.err)"
