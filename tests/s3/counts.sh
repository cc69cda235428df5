#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What commands and mounts ask of a bucket.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

start_ceph
start_proxy
export YORE_REPOSITORY=s3://yore/r
mkdir -p tree/1/2/3/4/5/6 mnt
for d in tree tree/1 tree/1/2 tree/1/2/3 tree/1/2/3/4 tree/1/2/3/4/5 \
	tree/1/2/3/4/5/6; do
	for i in {1..50}; do head -c 2000 /dev/urandom >"$d/f$i"; done
done
head -c 40000000 /dev/urandom >tree/big

# cost WHAT WANTED COMMAND...: at most so many requests
cost() {
	local what=$1 wanted=$2 n
	shift 2
	mark
	"$@" >/dev/null
	n=$(asked)
	echo "$what: $n requests ($(asked LIST) lists, $(asked PUT) puts)," \
		"$(since | awk '{ n += $7 } END { print n + 0 }') bytes down"
	[ "$n" -le "$wanted" ] || since
	at_most "$n" "$wanted" "requests of $what"
}

cost init 6 yore init -q --no-passphrase
cost 'the first backup' 27 yore backup -q --host h --source t tree
touch tree/1/f1
cost 'a backup of one change' 45 yore backup -q --host h --source t tree
as ro
cost 'yore ls' 9 yore ls h/t:1/2
cost 'yore cat' 14 yore cat h/t:1/2/3/f7
cost 'a mount' 6 mount_yore -o refresh=0 mnt
t=mnt/latest/h/t
cost 'the first ls' 2 ls $t
for d in 1 1/2 1/2/3 1/2/3/4 1/2/3/4/5 1/2/3/4/5/6; do
	cost "ls $d" 1 ls $t/$d
done
cost 'the first byte' 1 head -c1 $t/1/f1
cost 'its neighbours, and what is read ahead' 4 cat $t/1/f2 $t/1/f3
cost 'the same again' 0 cat $t/1/f1
cost 'all small files' 12 sh -c "tar -cf - -C $t/1 . | cat"
# far enough away that requests overlap on a busy machine, too
proxy set delay=20
cost '40 MB' 60 cat $t/big
[ "$(most_in_flight)" -ge 4 ] || fail "$(most_in_flight) in flight"
