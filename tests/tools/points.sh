#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# snapshots --points: of a tree its snapshots, each an address.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

make_repository
mkdir tree
for n in 1 2 3; do
	echo $n >tree/number
	yore backup -q --host h --source t --time 2025-11-18T10:32:15.25${n}Z \
		-t "tag$n" tree
done
yore backup -q --host h --source other tree

run_status 0 yore snapshots --points h/t
[ "$(wc -l <out)" = 4 ] || fail "--points: $(cat out)"
says out '^2025-11-18T10-32-15.252Z  *[0-9a-f]{32}  h/t  snapshot$'
awk 'NR > 1 { print $1, $2 }' out >points
n=0
while read -r time id; do
	run_status 0 yore cat "h/t@$time:number" "@$id:number"
	[ "$(xargs <out)" = "$((++n)) $n" ] || fail "$time, $id: $(cat out)"
done <points

run_status 0 yore snapshots --points -n 1 --json
[ "$(jq -r '.source + .id' out | sort | xargs)" = "$(yore snapshots -n 1 --json |
	jq -r '.source + .id' | sort | xargs)" ] || fail "-n 1: $(cat out)"
run_status 0 yore snapshots --points -t tag2
[ "$(sed 1d out | cut -d' ' -f1)" = 2025-11-18T10-32-15.252Z ] ||
	fail "-t: $(cat out)"
run_status 1 yore snapshots --points h/u
one_line err
