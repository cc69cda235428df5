#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 64 KiB of attributes in one file.  ext4 takes 4 KiB, so the source lies in
# memory; the restore needs to know tmpfs with user attributes (Linux 6.6).
. "${top_srcdir:-.}/tests/fidelity/same.sh" || exit 1
need_root
need_fuse

shm=$(mktemp -d /dev/shm/yore-test.XXXXXX)
trap 'rm -rf "$shm"; cleanup' EXIT
mkdir "$shm/tree" mnt
cd "$shm/tree"
echo content >file
python3 - <<'P' || { echo '/dev/shm takes no attributes of 60 KiB'; exit 77; }
import os
os.setxattr('file', 'user.large', os.urandom(60000))
for i in range(100):
    os.setxattr('file', 'user.%03d-%s' % (i, 'n' * 200), os.urandom(30))
os.symlink('file', 'link')
os.setxattr('link', 'trusted.large', b'v' * 50000, follow_symlinks=False)
P
cd "$work"

make_repository
yore backup -q --host h --source tree "$shm/tree"
mount_yore mnt
same_listing "$shm/tree" mnt/latest/h/tree
same_content "$shm/tree" mnt/latest/h/tree
yore restore -q h/tree "$shm/new"
same_listing "$shm/tree" "$shm/new" restored
same_content "$shm/tree" "$shm/new"
