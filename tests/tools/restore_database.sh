#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A database comes back as it was stored, whole or not at all.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

deltas=$top_builddir/tests/bench/deltas
command -v sqlite3 >/dev/null || { echo 'needs sqlite3'; exit 77; }
[ -x "$deltas" ] || fail "$deltas: not built"

export YORE_REPOSITORY=$work/r
sqlite3 a.db "pragma journal_mode=wal; create table t(a, b);
	with recursive c(i) as (select 1 union all select i + 1 from c
	where i < 5000) insert into t select i, hex(randomblob(50)) from c;
	pragma wal_checkpoint(truncate);" >/dev/null
mkdir state out
yore init -q --no-passphrase
"$deltas" r a.db state 20 5 >/dev/null

# counter FILE: the change counter, by which the generator numbers deltas
counter() { od -An -tu4 --endian=big -j24 -N4 "$1" | tr -d ' '; }

yore restore -q bench/a.db out/new.db
[ "$(counter out/new.db)" = 20 ] || fail 'not the newest'
[ "$(od -An -tu1 -j18 -N2 out/new.db)" = '   2   2' ] || fail 'not as stored'
cmp -s <(tail -c +4097 a.db) <(tail -c +4097 out/new.db) || fail 'pages differ'
[ "$(sqlite3 out/new.db 'pragma integrity_check')" = ok ] || fail 'not sound'

# as sqlite3 left it or not: companions are not the new one's
touch out/new.db-shm out/new.db-journal
head -c 8192 /dev/urandom >out/new.db-wal
! yore restore -q bench/a.db out/new.db 2>err || fail 'replaced unasked'
grep -q exists err || fail "$(cat err)"
[ -e out/new.db-wal ] || fail 'touched what it refused'
yore restore -q --if-missing bench/a.db out/new.db || fail 'not content'
[ -e out/new.db-wal ] || fail '--if-missing touched what exists'
yore restore -q --overwrite bench/a.db out/new.db
[ "$(ls -A out)" = new.db ] || fail "left behind: $(ls -A out)"
[ "$(counter out/new.db)" = 20 ] || fail 'not the newest again'

# into a directory, at a moment
first=$(yore snapshots --json | sed -n 's/.*"time": *"\([^"]*\)".*/\1/p' | head -1)
at=@$(($(date -u -d "$(sed -E 's/-([0-9]{2})-([0-9]{2}Z)$/:\1:\2/' <<<"$first")" +%s) + 8))
yore restore -q "bench/a.db@$at" out/ && [ -e out/a.db ] || fail 'no out/a.db'
n=$(counter out/a.db)
[ "$n" -ge 7 ] && [ "$n" -le 8 ] || fail "delta $n at $at"

# damaged: nothing is left
one=$(find r/db -type f | sort | head -1)
damage "$one" 90
! yore restore -q bench/a.db out/bad.db 2>err || fail 'damage was restored'
[ ! -e out/bad.db ] && [ -z "$(find out -name '.*' -type f)" ] ||
	fail "left behind: $(ls -A out)"
