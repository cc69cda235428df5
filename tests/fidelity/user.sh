#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A user without privileges backs up, mounts with fusermount3 and finds all of
# her own; she reads what root backed up too, whatever its modes.
if [ "${1-}" != inside ] && [ "$(id -u)" = 0 ]; then
	unshare -m true || { echo 'no mounts of its own: in a chroot?'; exit 77; }
	exec unshare -m bash "$0" inside
fi
. "${top_srcdir:-.}/tests/fidelity/same.sh" || exit 1
need_root
command -v fusermount3 >/dev/null || { echo 'no fusermount3'; exit 77; }
user=(setpriv --reuid=65534 --regid=65534 --clear-groups --
	env PATH="$top_builddir:/usr/bin:/bin")
"${user[@]}" test -x "$top_builddir/yorefs" ||
	{ echo "$top_builddir is closed to others"; exit 77; }
# /dev/fuse as most systems have it, where only this test sees it
mknod -m 666 fuse c 10 229
mount --bind fuse /dev/fuse || { echo 'cannot bind'; exit 77; }

mkdir tree mnt repo
chown 65534:65534 . home tree mnt repo
export YORE_REPOSITORY=$work/repo
cat >as_user.sh <<'U'
. "$top_srcdir/tests/fidelity/tree.sh"
set -eu
cd "$1/tree"
make_links
make_names
make_sizes
make_times
setfattr -n user.mine -v some links/a/one
U
export top_srcdir
"${user[@]}" bash as_user.sh "$work"
"${user[@]}" yore init -q --no-passphrase
"${user[@]}" yore backup -q --host h --source tree tree
mkdir -m 700 closed
echo secret >closed/file
chmod 0 closed/file
yore backup -q --host h --source closed closed
chmod -R a+rX repo # what root wrote

"${user[@]}" yore mount mnt
"${user[@]}" cat mnt/latest/h/closed/file | grep -qx secret
"${user[@]}" python3 "$top_srcdir/tests/fidelity/listing.py" tree >a
"${user[@]}" python3 "$top_srcdir/tests/fidelity/listing.py" \
	mnt/latest/h/tree >b
same a b
"${user[@]}" rsync -aHAXSn --numeric-ids --checksum --delete \
	--itemize-changes tree/ mnt/latest/h/tree/ >said
[ ! -s said ] || fail "rsync: $(head -n 5 said)"
"${user[@]}" yore umount mnt
