#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that expect a real file system find one.
. "${top_srcdir:-.}/tests/fidelity/same.sh" || exit 1
need_fuse

# a git repository with packs and loose objects
git init -q tree/git
(
	cd tree/git
	git config user.name ann
	git config user.email ann@example.org
	for i in 1 2 3 4 5 6; do
		seq $((i * 1000)) >numbers
		head -c 50000 /dev/urandom >random.$i
		git add .
		git commit -q -m "commit $i"
		[ $i != 4 ] || git gc -q
	done
)
# a database that was left with its write-ahead log empty
sqlite3 tree/db 'pragma journal_mode = wal; create table t (a integer primary
	key, b); with recursive c(i) as (select 1 union all select i + 1 from c
	where i < 20000) insert into t select i, hex(randomblob(30)) from c' >out
sqlite3 tree/db .sha3sum >db.sum
printf '#!/bin/sh\necho ran\n' >tree/script
chmod 755 tree/script
cp /bin/true tree/program

make_repository
yore backup -q --host h --source tree tree
mkdir mnt
mount_yore mnt
cd mnt/latest/h/tree

git -c safe.directory='*' -C git fsck --full --strict
[ "$(git -c safe.directory='*' -C git log --oneline | wc -l)" = 6 ]
[ -z "$(git -c safe.directory='*' -C git status --porcelain)" ]
git -c safe.directory='*' clone -q git "$work/clone"
same git/numbers "$work/clone/numbers"

# a WAL database cannot be opened where nothing can be written, unless said so
sqlite3 'file:db?immutable=1' .sha3sum | cmp - "$work/db.sum"
[ "$(sqlite3 'file:db?immutable=1' 'select count(*) from t')" = 20000 ]
sqlite3 'file:db?immutable=1' 'pragma integrity_check' | grep -qx ok
[ "$(./script)" = ran ]
./program
cd "$work"
