#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What thinning a database in a bucket costs, and what a mount sees of it.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse
command -v sqlite3 >/dev/null || { echo 'needs sqlite3'; exit 77; }

deltas=$top_builddir/tests/bench/deltas
sqlite3 big.db "create table o(id integer primary key, v blob);
	with recursive c(i) as (select 1 union all select i + 1 from c
		where i < 40000)
	insert into o select i, randomblob(60) from c"
mkdir state mnt
mkdir bucket
yore init -q -r bucket/r --no-passphrase
"$deltas" bucket/r big.db state 600 12 >/dev/null
"$deltas" bucket/r big.db state 5 12 base >/dev/null
start_server
export YORE_REPOSITORY=s3://yore/r

# cost WHAT REQUESTS MIB COMMAND...: at most so many of both
cost() {
	local what=$1 wanted=$2 mib=$3 n bytes
	shift 3
	mark
	"$@" >said || fail "$what: failed"
	n=$(asked)
	bytes=$(since | awk '{ n += $7 } END { print n + 0 }')
	echo "$what: $n requests, $bytes bytes; $(since | awk '{ print $4 }' |
		sort | uniq -c | xargs)"
	[ "$n" -le "$wanted" ] || since | cut -c1-150 | tail -40
	at_most "$n" "$wanted" "requests of $what"
	at_most "$bytes" $((mib << 20)) "bytes of $what"
}
counter() { od -An -tu4 --endian=big -j24 -N4 "$1" | tr -d ' '; }

mount_yore -o refresh=1 mnt
s=mnt/sources/bench/big.db
first=$(date -u -d "$(ls $s/snapshots | head -1 |
	sed -E 's/-([0-9]{2})-([0-9]{2}Z)$/:\1:\2/')" +%s)
exec 7<"$s/at/@$((first + 333))/big.db"
cost 'a dry run' 30 2 yore forget --thin=1m:all -n
# 600 deltas are read, most of them at once; of 12 each a PUT and a HEAD
cost 'ten minutes in seconds' 900 32 yore forget --thin=1m:all
says said '1[01] of 600 points stay'
cost 'nothing to do' 24 1 yore forget --thin=1m:all
cost 'nothing but snapshots' 45 1 yore forget --thin=none
cost 'nothing is asked of what is without points' 20 1 yore forget --thin=none
[ "$(counter /proc/self/fd/7)" = 333 ] || fail 'what is open has changed'
for ((i = 0; i < 100; i++)); do
	n=$(cat <(ls $s/generations/*/points/*) | grep -c 'Z$' || :)
	[ "$n" = 7 ] && break
	sleep 0.1
done
[ "$n" = 7 ] || fail "$n moments are listed"
[ "$(counter "$s/at/@$((first + 334))/big.db")" -lt 300 ] ||
	fail 'a point that went is there'
exec 7<&-
