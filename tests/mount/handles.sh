#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# File handles, as an NFS server keeps them, outlive what the kernel remembers
# of the mount, and even a remount where they name the same thing.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

handles() {
	python3 "$top_srcdir/tests/mount/handles.py" "$1" "$mnt" "$scratch/kept" "${@:2}"
}

tree=$snapshots/2026-01-01T04-00-00Z
paths=("$tree/big/f000007" "$tree/big" "$tree" "$snapshots" "$mnt/sources")
start points=5
handles take "${paths[@]}"
handles follow "${paths[@]}" || fail 'at once'
forget
[ "$(asked forget)" -gt 0 ] || fail 'nothing was forgotten'
handles follow "${paths[@]}" || fail 'after the kernel forgot'
is 00004 "$(cat "$tree/point")" 'a file there'
stop

# one snapshot as the root: numbers and generations are the same again
paths=("$mnt/big/f000007" "$mnt/big" "$mnt/kinds/setuid")
start address=web1/home@2026-01-01T04:00:00Z
handles take "${paths[@]}"
stop
start address=web1/home@2026-01-01T04:00:00Z
handles follow "${paths[@]}" || fail 'after a remount'
stop
start address=web1/home@2026-01-01T05:00:00Z
handles follow "${paths[@]}" 2>"$scratch/e" && fail 'of another snapshot'
grep -q 'Errno 116' "$scratch/e" || fail "$(cat "$scratch/e")"
stop
