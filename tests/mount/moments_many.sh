#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 10,000 moments are listed in less than a second and leave nothing behind.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

memory() {
	awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"
}

start moments=20000
points=$mnt/sources/web2/orders.db/generations/2026-01-02T00-31-40Z/points
ls "$points" >/dev/null
metric yore_nodes >/dev/null # has nodes of its own
before=$(memory)
nodes=$(metric yore_nodes)
began=$(date +%s%N)
is 10000 "$(ls "$points"/2026-01-02 | wc -l)" moments
took=$((($(date +%s%N) - began) / 1000000))
[ $took -lt "${YORE_TEST_LS_MS:-10000}" ] || fail "ls took $took ms"
[ "$(metric yore_nodes)" -lt $((nodes + 10)) ] || fail 'nodes were kept'
is 0 "$(metric yore_views)" 'views opened for it'
[ "$(asked lookup)" -lt 20 ] || fail "$(asked lookup) LOOKUPs"
[ "$(asked readdirplus)" -lt 100 ] || fail "$(asked readdirplus) READDIRPLUSs"
for _ in $(seq 20); do
	ls "$points"/* >/dev/null
done
grown=$(($(memory) - before))
[ $grown -lt 2048 ] || fail "listing them took $grown KiB of memory"

# whoever looks at each has the kernel look each up once
is 10000 "$(ls -l "$points/2026-01-02" | grep -c ^d)" 'with ls -l'
is 'lookup=0 ' "$(between lookup -- ls -l "$points/2026-01-02")" 'again'
forget
is 10000 "$(ls "$points/2026-01-02" | wc -l)" 'after all was forgotten'
stop
