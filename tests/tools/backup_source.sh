#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What backup takes in, and how its sources are named.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

make_repository
mkdir -p src/{build,docs}
for f in main.c build/x docs/a.tmp docs/b big; do
	echo "$f" >"src/$f"
done

# holds SOURCE NAMES...: the files of its latest snapshot
holds() {
	local source=$1
	shift
	yore find -type f "h/$source" | tr '\n' ' ' >out
	[ "$(cat out)" = "$* " ] || fail "$source holds $(cat out)"
}
printf 'docs/b\n%s\n' "$PWD/src/main.c" >list
yore backup -q --host h --source l --files-from list src
holds l docs/b main.c
printf 'docs/b\0big\0' | yore backup -q --host h --source l \
	--files-from0 - src
holds l big docs/b

seq 1000 | yore backup -q --host h --stdin dump.sql
seq 1000 | cmp - <(yore cat h/dump.sql:dump.sql)
yore backup -q --host h --stdin out.txt --stdin-command 'echo made; exit 0'
[ "$(yore cat h/out.txt:out.txt)" = made ]
run_status 1 yore backup --host h --stdin out.txt \
	--stdin-command 'echo half; exit 7'
says err 'the command failed with status 7; nothing was kept'
[ "$(yore snapshots --json h/out.txt | wc -l)" = 1 ]

yore backup -q --host h --tag a --tag b --time 2024-02-03T04:05:06Z src/docs
run_status 0 yore snapshots --tag b
says out "^2024-02-03T04-05-06Z .*h/$(tr / - <<<"${PWD:1}")-src-docs  \[a,b\]"

before=$(find repo -type f | wc -l)
run_status 0 yore backup -n --host h --source x src
says out 'dry run'
[ "$(find repo -type f | wc -l)" = "$before" ]

# two paths, two sources; a clash asks for --source
yore backup -q --host h src/docs src/build
run_status 1 yore backup --host h src/docs "$PWD/src/docs/"
one_line err
says err 'with --source'
run_status 2 yore backup --host h --source s src/docs src/build
run_status 2 yore backup
run_status 1 yore backup --host h src/none
says err 'src/none'
