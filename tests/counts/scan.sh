#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A table of a database that is read from its beginning to its end: where tables
# lie mixed, what belongs to the other is not decoded, and where one lies
# scattered its pages are there when they are wanted.
. "${top_srcdir:-.}/tests/counts/counts.sh" || exit 1
command -v sqlite3 >/dev/null || { echo 'needs sqlite3'; exit 77; }

make_repository
mkdir tree
# two tables that take turns: 8 times 3 MB of a, 3 MB of b
turn="with recursive c(i) as (select 1 union all select i + 1 from c
		where i < 3000)"
{
	echo 'pragma page_size = 4096; pragma journal_mode = off;
		create table a(id integer primary key, v blob);
		create table b(id integer primary key, v blob);'
	for _ in 1 2 3 4 5 6 7 8; do
		echo "insert into a(v) $turn select randomblob(950) from c;
			insert into b(v) $turn select randomblob(950) from c;"
	done
} | sqlite3 tree/mixed.db >/dev/null
# a table that was filled in no order: pages that follow each other lie apart
sqlite3 tree/scattered.db "pragma page_size = 4096; pragma journal_mode = off;
	create table t(id integer primary key, v blob);
	with recursive c(i) as (select 1 union all select i + 1 from c
		where i < 40000)
	insert into t select i * 7919 % 100003, randomblob(950) from c" >/dev/null
yore backup -q --host h --source t tree
mixed=mnt/latest/h/t/mixed.db
scattered=mnt/latest/h/t/scattered.db

sum() { # DATABASE TABLE [WHERE]: something that says that all of it was right
	sqlite3 "file:$1?immutable=1" \
		"select count(*), sum(length(v)), max(v), min(v) from $2 ${3-}"
}
rows() { # DATABASE TABLE: some that lie apart
	sqlite3 "file:$1?immutable=1" "select length(v) from $2
		where id in (11, 5003, 9001, 13007, 17011, 21001)" >/dev/null
}
# known DATABASE TABLE: its order is, when nothing more is done
known() {
	rows "$1" "$2"
	settle yore_frames_unsealed_total
}
unsealed() { metric yore_frames_unsealed_total; }
by_readers() {
	echo $(($(unsealed) - $(metric yore_ahead_frames_total)))
}

# 24 MB of 48, in frames of 16 KiB: 1,520 are a's
remount
known $mixed b
before=$(unsealed)
[ "$(sum $mixed a)" = "$(sum tree/mixed.db a)" ] || fail 'the sum of a'
n=$(($(unsealed) - before))
echo "a of a mixed database: $n frames"
at_most "$n" 1900 'frames of one of two tables'

# and all of them for who reads all of it, in few READs
before=$(unsealed)
cmp tree/mixed.db $mixed
n=$(($(unsealed) - before))
[ "$n" -ge 1100 ] || fail "all of it was read with $n frames more"

# a third of a scattered table: without knowing its order readers decode it all
remount
known $scattered t
before=$(by_readers)
third='where id < 33000'
[ "$(sum $scattered t "$third")" = "$(sum tree/scattered.db t "$third")" ] ||
	fail 'the sum of a third'
n=$(($(by_readers) - before))
echo "a third of a scattered table: readers decoded $n frames themselves"
at_most "$n" 500 'frames that readers had to wait for'
[ "$(sum $scattered t)" = "$(sum tree/scattered.db t)" ] || fail 'the sum of t'
cmp tree/scattered.db $scattered

# unmounted in the middle of it
for i in 1 2 3 4 5; do
	remount
	rows $scattered t
	sleep 0.0$i
	sum $scattered t "$third" >/dev/null &
	scan=$!
	sleep 0.05
	yore umount -l "$work/mnt"
	wait "$scan" || true
done
