#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whole commands over the test server's faults: every kind, in every kind of
# object, once, twice and for ever.  A restore brings back what was backed up or
# says what it could not read; a backup that fails says so and leaves the
# snapshot before it whole, one that succeeds can be restored.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

mkdir -p old/sub bucket
for i in {1..6}; do head -c 30000 /dev/urandom >old/$i; done
head -c 900000 /dev/urandom >old/big
echo small >old/sub/small
yore init -q --no-passphrase -r template
yore backup -q -r template --host h --source t old
cp -a old new
head -c 200000 /dev/urandom >new/more
echo changed >new/sub/small

# those that take longest, because nothing helps, come first
passing=(429 error reset=50 close skewed 301 shorter beside chunked)
reads=(500 reset truncated garbage 403 404 flip whole longer mute)
writes=(500 503 reset close unheard lost garbage skewed 403 501)
lists=(500 error part stale twice unordered endless tokenless foreign malformed)
for when in 1+ 1x2 1; do
	for object in format keys snap cat meta data; do
		printf "restore GET $object $when %s\n" "${reads[@]}"
		[ $when = 1+ ] ||
			printf "restore GET $object $when %s\n" "${passing[@]}"
	done
	for object in data meta idx snap cat; do
		printf "backup PUT $object $when %s\n" "${writes[@]}"
	done
	for object in keys snap cat; do
		printf "restore LIST $object $when %s\n" "${lists[@]}"
	done
done | awk '{ print "r" NR, $0 }' >cells

# a repository and a rule for each
cut -d' ' -f1 cells | xargs -I CELL cp -r template bucket/CELL
cp -r template bucket/again
start_server
while read -r cell _ operation object when kind; do
	server "fault $operation $cell/$object* $when $kind"
done <cells
xargs -P 40 -L 1 bash "$s3/cell.sh" <cells
exactly "$(wc -l <done)" "$(wc -l <cells)" 'cells that ended'
wc -l <cells

# an error in the place of an object, with status 200, is asked again
for object in format keys snap meta data; do
	server "fault GET again/$object* 1 error"
done
yore restore -q -r s3://yore/again h/t again
diff -r old again
