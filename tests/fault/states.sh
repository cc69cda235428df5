#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# states.sh DIR K: bring the tree DIR from its state K - 1 to K (1, 2, 3).
# Small, and of everything: solid frames, a file of several chunks, a database,
# hard links, holes, extended attributes, symlinks, a directory of its own map.
set -eu
mkdir -p "$1"
cd "$1"

state1() {
	local i
	mkdir -p small/{a,b} many empty
	for i in {1..40}; do
		head -c $((i * 97)) /dev/urandom >"small/a/$i"
		printf 'text %s\n' "$i" {1..200} >"small/b/$i"
	done
	for i in {1..300}; do
		: >"many/entry-with-a-longer-name-$i"
	done
	head -c 2500000 /dev/urandom >big
	sqlite3 db 'create table t(a integer primary key, b);
		with recursive n(i) as (select 1 union all select i + 1 from n
		where i < 1500) insert into t select i, randomblob(200) from n'
	ln big small/link
	ln small/a/7 link7
	ln -s ../big small/soft
	truncate -s 3M holes
	printf middle | dd of=holes bs=1 seek=1500000 conv=notrunc status=none
	setfattr -n user.note -v 'a value' small/a/1
	setfattr -n user.long -v "$(printf 'v%.0s' {1..2000})" small
	mkfifo fifo
}

state2() {
	local i
	for i in 3 5 9; do
		echo changed >>"small/a/$i"
	done
	head -c 600000 /dev/urandom >>big
	sqlite3 db 'update t set b = randomblob(200) where a between 400 and 420'
	mkdir new
	for i in {1..25}; do
		head -c 9000 /dev/urandom >"new/$i"
	done
	rm small/b/1? link7
}

state3() {
	head -c 1500000 /dev/urandom >another
	mv small/b moved
	mv new small/newer
	truncate -s 2M big
	rm -r many
	setfattr -x user.note small/a/1
	ln another small/newer/link
	head -c 1800000 /dev/urandom >db2
}

"state$2"
