#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What backups ask of a bucket, and how many requests take their bytes there.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_ceph
start_proxy
export YORE_REPOSITORY=s3://yore/r
mkdir tree
for i in {1..200}; do head -c 20000 /dev/urandom >tree/f$i; done
head -c 100000000 /dev/urandom >tree/big

# cost WHAT WANTED: a backup; at most so many requests
cost() {
	mark
	yore backup -q --host h --source t tree
	echo "$1: $(asked) requests ($(asked GET) gets, $(asked HEAD) heads," \
		"$(asked LIST) lists, $(asked PUT) puts, $(asked PART) parts)," \
		"$(since | awk '{ n += $7 } END { print n + 0 }') bytes down"
	[ "$(asked)" -le "$2" ] || since
	at_most "$(asked)" "$2" "requests of $1"
}

# up WHAT: bytes that were put below it
up() { since | awk -v at="/r/$1/" 'index($NF, at) { n += $6 } END { print n + 0 }'; }
started() { echo $((($1 + $2 * 1048576 - 1) / ($2 * 1048576))); }

as rw
yore init -q --no-passphrase
cost 'the first backup' 37
at_most $(($(asked PUT) + $(asked PART))) \
	$(($(started "$(up data)" 16) + $(started "$(up meta)" 4) + 3)) 'PUTs'
[ "$(most_in_flight)" -ge 3 ] || fail "$(most_in_flight) in flight"

cost 'an unchanged one' 16
touch tree/f1
cost 'one with a touched file' 18
for i in 1 2 3; do
	for n in {1..2}; do head -c 20000 /dev/urandom >tree/f$((n + 7 * i)); done
	cost 'one with 1 % changed' 20
done
# merged into one segment of the next level, which is read from then on
for i in {1..9}; do
	touch tree/f1
	yore backup -q --host h --source t tree
done
cost 'one after a merge of segments' 18

# a state of pruning costs a get; the first time, all extents are looked at
"$top_builddir/tests/upkeep/states" put "$YORE_REPOSITORY" \
	condemn data/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
cost 'the first after something was pruned' 20
cost 'one more after something was pruned' 20

# what lies here is not needed: a look at each segment, and at the pages
rm -r "$HOME/.local"
touch tree/f2
cost 'one from a machine that knows nothing' 28
