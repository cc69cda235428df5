#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# df shows what the newest snapshots hold together; a part of the namespace,
# only its own.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

blocks_files() {
	stat -f -c '%b %c %f %l' "$mnt"
}
entries() {
	find "$1" -path '*/broken/*' -prune -o -printf . | wc -c
}

start points=5
one=$(($(entries "$home") + 13))
bytes=$(getfattr --only-values -n user.yore.totals.bytes "$home" 2>/dev/null)
is "$(((3 * bytes + 4095) / 4096)) $((3 * one)) 0 255" "$(blocks_files)" \
	'three sources'
df "$mnt" >/dev/null || fail df
stop

start address=web1/home
is "$(((bytes + 4095) / 4096)) $one 0 255" "$(blocks_files)" 'one source'
stop

start address=web1/home@latest:big
is "101" "$(stat -f -c %c "$mnt")" 'one directory'
stop
