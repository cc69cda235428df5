#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A source, a snapshot or a directory in one can be the root of a mount.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

start address=web1/home
is 'at generations latest snapshots versions' "$(ls -A "$mnt" | xargs)" 'a source'
is 00010 "$(cat "$mnt/latest/point")" 'its latest'
is 00003 "$(cat "$mnt/at/2026-01-01T03:30:00Z/point")" 'its at/'
is web1/home "$(awk '$1 == "shows" { print $2 }' "$mnt/.yore/status")" status
is "$(stat -c %i "$mnt")" "$(stat -c %i "$mnt/snapshots/..")" 'the way up'
stop

start address=web1/home@2026-01-01T03:30:00Z
is 00003 "$(cat "$mnt/point")" 'a snapshot'
is 0 "$(ls -A "$mnt" | grep -c yore)" '.yore among the names'
is 1 "$(grep -c points "$mnt/.yore/status")" 'though it can be found'
is 0000000200000003 "$(getfattr --only-values -n user.yore.id "$mnt" \
	2>/dev/null)" 'the id of the root'
is "$(stat -c %i "$mnt")" "$(stat -c %i "$mnt/000/..")" 'the way up'
stop

start address=web2/home@latest:/kinds/
is 11 "$(find "$mnt" -mindepth 1 -print0 | tr -dc '\0' | wc -c)" \
	'a directory of a snapshot'
is 4095 "$(readlink "$mnt/symlink" | tr -d '\n' | wc -c)" 'a symlink there'
is "$(stat -c %i "$mnt")" "$(stat -c %i "$mnt/.")" 'the root'
stop

refused() {
	"$top_builddir/tests/mount/fakefs" "$mnt" "address=$1" 2>"$scratch/e" &&
		fail "$1 was mounted"
	is 1 "$(wc -l <"$scratch/e")" "lines about $1"
	grep -q "$2" "$scratch/e" || fail "$1: $(cat "$scratch/e")"
}
refused web1/nothing 'no source web1/nothing'
refused web1/home@nonsense 'neither a time nor a snapshot'
refused web1/home@1999-01-01 'has no snapshot at 1999-01-01'
refused web1/home@latest:x 'x: no such file'
refused web1/home@latest:point 'point is not a directory'
