#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What databases in a bucket cost: writing deltas, opening any moment, going on
# to another.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse
command -v sqlite3 >/dev/null || { echo 'needs sqlite3'; exit 77; }

deltas=$top_builddir/tests/bench/deltas
sqlite3 big.db "create table o(id integer primary key, k text, v blob);
	with recursive c(i) as (select 1 union all select i + 1 from c
		where i < 100000)
	insert into o select i, hex(randomblob(8)), randomblob(60) from c;
	create index ok on o(k);"
mkdir state mnt cache
# a long past, where the server will find it
mkdir bucket
yore init -q -r bucket/r --no-passphrase
"$deltas" bucket/r big.db state 2200 12 >/dev/null
sqlite3 long.db "create table o(v blob);
	with recursive c(i) as (select 1 union all select i + 1 from c
		where i < 48) insert into o select randomblob(1000000) from c"
mkdir long
"$deltas" bucket/r long.db long 2 12 >/dev/null
start_server

# cost WHAT REQUESTS MIB COMMAND...: at most so many of both
cost() {
	local what=$1 wanted=$2 mib=$3 n bytes
	shift 3
	mark
	"$@" >/dev/null || fail "$what: failed"
	settle
	n=$(asked)
	bytes=$(since | awk '{ n += $7 } END { print n + 0 }')
	echo "$what: $n requests, $bytes bytes"
	[ "$n" -le "$wanted" ] || since
	at_most "$n" "$wanted" "requests of $what"
	at_most "$bytes" $((mib << 20)) "bytes of $what"
}
row() { sqlite3 "$1/big.db" "select length(v) from o where id = 77777"; }
query() { sqlite3 "$1/big.db" "select id from o where k > '7' order by k limit 1"; }

export YORE_REPOSITORY=s3://yore/r
cost '20 deltas' 70 1 "$deltas" s3://yore/r big.db state 20 12
as ro
cost 'a mount' 5 1 mount_yore -o refresh=0 mnt
s=mnt/sources/bench/big.db
# 2220 is octal 4254: four records
cost 'the newest, one row' 10 1 row $s/latest
cost 'the same again' 0 0 row $s/latest
cost 'an index' 4 1 query $s/latest
first=$(date -u -d "$(ls $s/snapshots | head -1 |
	sed -E 's/-([0-9]{2})-([0-9]{2}Z)$/:\1:\2/')" +%s)
for n in 1234 2047 2048 511; do
	cost "after delta $n" 7 1 row "$s/at/@$((first + n))"
	[ "$(od -An -tu4 --endian=big -j24 -N4 "$s/at/@$((first + n))/big.db" |
		tr -d ' ')" = "$n" ] || fail "not delta $n"
done
cost 'a second later' 2 1 row "$s/at/@$((first + 1235))"
# what has been a day in 10 GB takes the same: nothing is fetched whole
for n in 1755 585 2000; do # octal 3333, 1111
	yore umount mnt
	mount_yore -o refresh=0 mnt
	# 10: newest, times, four records; page 1, the map, two of the base's;
	# up to two more where a busy machine parts what would go together
	cost "by an index, cold, after delta $n" 12 1 query "$s/at/@$((first + n))"
	cost 'the same again' 0 0 query "$s/at/@$((first + n))"
done
days=("$s"/generations/*/points/*)
cost 'moments' 3 1 ls "${days[0]}"
cost 'moments again' 0 0 ls "${days[0]}"
n=$(cat <(ls "${days[@]}") | grep -c 'Z$')
[ "$n" -ge 2221 ] || fail "$n moments"

# every delta once, the rest in long gets
yore umount mnt
YORE_CACHE_DIR=$PWD/cache mount_yore -o refresh=0 mnt
cost 'cp' 1300 36 cp $s/latest/big.db.raw mounted.db
cost 'a restore' 1000 24 yore restore -q bench/big.db copy.db
cmp copy.db mounted.db
# what was copied out of a mount is the kernel's now
s=mnt/sources/bench/long.db
cost 'cp of a long one' 110 60 cp $s/latest/long.db.raw long.raw
memory=$(sed -n 's/.*"memory_bytes": *\([0-9]*\).*/\1/p' \
	mnt/.yore/metrics.json)
at_most "$memory" 32000000 'bytes of frames after a cp'
yore restore -q bench/long.db long.copy
cmp long.copy long.raw
