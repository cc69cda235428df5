#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What opening a moment of a database asks of the store; and what it does not,
# once it was asked.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_root
need_fuse

unset YORE_CACHE_DIR
start_server
export YORE_REPOSITORY=s3://yore/r
yore init -q --no-passphrase
mkdir state mnt
sqlite3 app.db 'create table t(n integer primary key, v, x);
	with recursive c(n) as (select 1 union all select n + 1 from c
		where n < 4000) insert into t select n, 0, randomblob(500) from c'
for i in $(seq 100 299); do
	sqlite3 app.db "update t set v = $i where n = 1 or n = $((i * 7))"
	cp app.db "state.$i"
done
"$top_builddir/tests/mount/put_states" "$YORE_REPOSITORY" state app.db \
	1767311998000 250 state.*
rm -rf "$HOME/.cache"
db=mnt/sources/host/app.db
query() { # TIME: the number of the state
	sqlite3 "mnt/at/$1/host/app.db/app.db" 'select v from t where n = 1'
}

mount_yore -o refresh=0 mnt
mark
ls mnt/at/now/host $db $db/generations/*/ >/dev/null
exactly "$(asked)" 0 'requests of listings above the moments'
exactly "$(query now)" 299 'the newest state'
at_most "$(asked)" 16 'requests of a first query'
mark
exactly "$(query 2026-01-02T00:00:20.100Z)" 188 'an earlier state'
at_most "$(asked)" 8 'requests of another moment'
mark
exactly "$(query 2026-01-02T00:00:20.100Z)" 188 'the same state'
exactly "$(ls -d $db/latest/)" $db/latest/ latest
exactly "$(asked)" 0 'requests of what was asked before'
exactly "$(ls $db/generations/*/points/* | grep -c Z$)" 200 moments
mark
ls $db/generations/*/points/* >/dev/null
exactly "$(asked)" 0 'requests of listing them again'
yore umount mnt

mark
mount_yore -o refresh=0 mnt
exactly "$(query now)" 299 'the newest state'
at_most "$(asked)" 2 'requests of another mount'
yore umount mnt
mark
mount_yore --offline mnt
exactly "$(query 2026-01-02T00:00:20.100Z)" 188 'a state offline'
exactly "$(ls $db/generations/*/points/* | grep -c Z$)" 200 'moments offline'
exactly "$(asked)" 0 'requests offline'
