#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 10,000 snapshots are listed from memory: nothing is opened, nothing asked
# twice, and it takes less than a second.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

start points=10000
began=$(date +%s%N)
is 10000 "$(ls -l "$snapshots" | grep -c ^d)" snapshots
took=$((($(date +%s%N) - began) / 1000000))
[ $took -lt "${YORE_TEST_LS_MS:-1000}" ] || fail "ls -l took $took ms"
is 0 "$(metric yore_views)" 'views opened for it'
[ "$(asked lookup)" -lt 20 ] || fail "$(asked lookup) LOOKUPs"
[ "$(asked getattr)" -lt 10 ] || fail "$(asked getattr) GETATTRs"

is 5000 "$(ls "$mnt/tags/even/web1/home" | grep -vc latest)" 'with a tag'
is 30000 "$(ls "$mnt/by-id" | wc -l)" 'by id'
is 09999 "$(cat "$mnt/by-id/000000020000270f/point")" 'one by its id'
is 1 "$(metric yore_views)" 'views opened for that'

# what the kernel forgets is forgotten: numbers come back
for i in $(seq 200); do
	stat "$mnt/at/@$((1767225600 + i))" >/dev/null
done
nodes=$(metric yore_nodes)
[ "$nodes" -gt 200 ] || fail "$nodes nodes"
forget
[ "$(asked forget)" -gt 0 ] || fail 'nothing was forgotten'
is 10000 "$(ls "$snapshots" | wc -l)" 'snapshots after all was forgotten'
stop
