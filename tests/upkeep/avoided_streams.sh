#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is no tree keeps away from what is condemned, too: standard input, and
# databases.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/upkeep/gc.sh"

make_repository
# from standard input
head -c 1000000 /dev/urandom >input
yore backup -q --host h --source in --stdin in <input
packs | sort >third
# shellcheck disable=SC2046
state condemn $(cat third)
yore backup -q --host h --source in --stdin in <input
refers_to_none "$(records h/in)" third

# a database, from its file
python3 -c 'import sqlite3
db = sqlite3.connect("app.db")
db.execute("pragma journal_mode=wal")
db.execute("create table t (x)")
db.executemany("insert into t values (hex(randomblob(500)))", [()] * 2000)
db.commit()'
replicate() { yore replicate -q --once --state-dir "state-$1" --host h --source "$1" app.db; }
replicate one
packs | sort >fourth
# shellcheck disable=SC2046
state condemn $(cat fourth)
replicate two
refers_to_none "$(records h/two)" fourth
