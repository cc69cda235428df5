#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Where nothing can be mounted, one line says why and what to do, before any
# passphrase is asked for.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

export YORE_PASSWORD_COMMAND="touch $scratch/asked; echo secret"
repo=$scratch/repo
"$top_builddir/yore" init -r "$repo" --password-command 'echo secret' \
	2>"$scratch/e" || fail "$(cat "$scratch/e")"

# refused STATUS TEXT COMMAND...
refused() {
	"${@:3}" >"$scratch/e" 2>&1
	is "$1" $? "exit status of ${*:3}"
	is 1 "$(wc -l <"$scratch/e")" "lines of ${*:3}"
	grep -qF -- "$2" "$scratch/e" || fail "${*:3}: $(cat "$scratch/e")"
	[ ! -e "$scratch/asked" ] || fail "${*:3}: asked for the passphrase"
}
yorefs=$top_builddir/yorefs

refused 1 "(mkdir $scratch/none)" "$yorefs" "$repo" "$scratch/none"
touch "$scratch/file"
refused 1 'is not a directory' "$yorefs" "$repo" "$scratch/file"
refused 1 'is not empty' "$yorefs" "$repo" /etc
mkdir "$repo/mnt"
refused 1 'lies inside the repository' "$yorefs" "$repo" "$repo/mnt"
refused 1 'lies inside the repository' "$yorefs" "$repo" "$repo"
refused 1 'lies inside /' "$yorefs" "file://$repo" "$scratch"
ln -s "$repo/mnt" "$scratch/link"
refused 1 'lies inside the repository' "$yorefs" "$repo" "$scratch/link"
rmdir "$repo/mnt"

no_fuse() {
	unshare -m sh -c 'mount -t tmpfs none /dev && exec "$@"' - "$@"
}
if unshare -m true; then # not in a chroot whose root is no mount
	refused 1 'no /dev/fuse: modprobe fuse' \
		no_fuse "$yorefs" "$repo" "$mnt"
fi
refused 2 'unknown option frobnicate' "$yorefs" "$repo" "$mnt" -o frobnicate
refused 2 'memory=much: not a size' "$yorefs" -o memory=much "$repo" "$mnt"
refused 2 'REPO and MOUNTPOINT are wanted' "$yorefs" "$repo"
refused 2 'and there is also c' "$yorefs" a b c
refused 10 'nowhere' "$yorefs" "$scratch/nowhere" "$mnt"

unset YORE_PASSWORD_COMMAND
YORE_PASSWORD=wrong refused 11 'passphrase' "$yorefs" "$repo" "$mnt"

# in use: by a mount of its own
YORE_PASSWORD=secret "$yorefs" "$repo" "$mnt" || fail 'mounting'
refused 1 "yore umount $mnt first" "$yorefs" "$repo" "$mnt"
umount "$mnt"
