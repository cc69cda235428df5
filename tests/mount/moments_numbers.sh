#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inode numbers of moments: unique, and the same wherever and whenever seen.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

start moments=4000
db=$mnt/sources/web2/orders.db
first=$db/generations/2026-01-01T23-50-00Z/points
later=$db/generations/2026-01-01T23-58-20Z/points
numbers() {
	(cd "$db" && stat -c %i at/2026-01-01T23:50:07.001Z/* latest/. \
		snapshots/*/* && ls -i "$later/2026-01-02")
}
numbers >"$scratch/before"
is "$(stat -c %i "$first/2026-01-01/23-50-03.001Z/orders.db")" \
	"$(stat -c %i "$db/at/@1767311403.00139/orders.db")" \
	'a file seen at two paths'
stop
start moments=4000
numbers | cmp - "$scratch/before" || fail 'other numbers after a remount'
is 12000 "$(find "$db"/generations/*/points/*/* -printf '%i\n' | sort -u |
	wc -l)" 'numbers of moments and their files'
is "$(stat -c %i "$db/snapshots/2026-01-01T23-58-20Z/orders.db")" \
	"$(stat -c %i "$later/2026-01-01/23-58-20.000Z/orders.db")" \
	'of a snapshot that is a moment'
stop
