#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A database that is read here and there: after a few READs its interior pages
# are in the page cache, and a row costs the READ of its leaf, once.
. "${top_srcdir:-.}/tests/counts/counts.sh" || exit 1
command -v sqlite3 >/dev/null || { echo 'needs sqlite3'; exit 77; }

make_repository
mkdir tree
# pages of 4 KiB, 40 MB of them, in a tree of three levels
sqlite3 tree/a.db "pragma page_size = 4096;
	create table t(id integer primary key, v blob);
	with recursive c(i) as (select 1 union all select i + 1 from c
		where i < 40000)
	insert into t select i, randomblob(950) from c"
yore backup -q --host h --source t tree
file=mnt/latest/h/t/a.db

rows() { # DATABASE FIRST STEP: the sum of rows that lie in leaves of their own
	sqlite3 "file:$1?immutable=1" "select sum(length(v)), group_concat(substr(hex(v), 1, 8)) from t
		where id in (with recursive c(i) as (select $2
			union all select i + $3 from c where i + $3 < 40000)
		select i from c)"
}
remount
[ "$(rows $file 100 9000)" = "$(rows tree/a.db 100 9000)" ] || fail 'first rows'
settle yore_stored_bytes_total
[ "$(rows $file 500 1000)" = "$(rows tree/a.db 500 1000)" ] || fail 'rows'
# (a machine that is short of memory may have dropped pages meanwhile)
for _ in 1 2 3; do
	remount
	rows $file 100 9000 >/dev/null
	settle yore_stored_bytes_total
	cost rows $file 500 1000
	[ "$r" -gt 44 ] || break
done
# 40 leaves
at_most "$r" 44 'READs of 40 rows'
at_most "$g" 42 'GETs of 40 rows'
cmp tree/a.db $file

# unmounted in the middle of it
for _ in 1 2 3 4 5; do
	remount
	rows $file 100 9000 >/dev/null
done

# one after the other: nothing is handed over that READs ask for anyway
remount
cost cat $file
at_most "$(metric yore_stored_bytes_total)" 131072 'bytes stored while reading in order'
