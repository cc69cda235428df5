#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A user without privileges mounts with fusermount3 and reads everything there
# is, whatever owners and modes the files carry; nobody else comes in.
if [ "$1" != inside ] && [ "$(id -u)" = 0 ]; then
	unshare -m true || { echo 'no mounts of its own: in a chroot?'; exit 77; }
	exec unshare -m bash "$0" inside
fi
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99
command -v fusermount3 >/dev/null || { echo 'no fusermount3'; exit 77; }

# /dev/fuse as most systems have it, where only this test sees it
mknod -m 666 "$scratch/fuse" c 10 229
mount --bind "$scratch/fuse" /dev/fuse || exit 77
user=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
chmod 755 "$scratch"
chown 65534:65534 "$mnt"
"${user[@]}" test -x "$top_builddir/tests/mount/fakefs" ||
	{ echo "$top_builddir is closed to others"; exit 77; }

runner=("${user[@]}")
start acls=1
is 600 "$("${user[@]}" stat -c %a "$home/kinds/fifo")" 'a mode'
is 0 "$("${user[@]}" stat -c %u "$home/xattrs/has")" 'an owner'
is 100 "$("${user[@]}" cat "$home/xattrs/has" | wc -c)" 'a file of root'
is 670 "$("${user[@]}" stat -c %a "$home/xattrs/has")" 'its mode'
"${user[@]}" getfacl -nc "$home/xattrs/has" 2>/dev/null |
	grep -q user:1000:rwx || fail 'its ACL'
ls "$mnt" 2>/dev/null && fail 'root came in'
until_true "${user[@]}" fusermount3 -u "$mnt"
wait "$pid" || fail "it ended with $?"
pid=

# it can go by itself too
start idle=1
until_true eval '! grep -q " $mnt fuse.yorefs " /proc/mounts'
wait "$pid" || fail "idle: it ended with $?"
start
stop
! grep -q " $mnt fuse.yorefs " /proc/mounts || fail 'still mounted'

# a directory that is not the user's own
mkdir -m 755 "$scratch/other"
"${user[@]}" "$top_builddir/yorefs" /nowhere "$scratch/other" 2>&1 |
	grep -q 'not writable by you' || fail 'a directory of others'
