#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A directory of the system, as it is, is the same in a mount.
. "${top_srcdir:-.}/tests/fidelity/same.sh" || exit 1
need_root
need_fuse

source=${YORE_TEST_SYSTEM:-/usr/share/doc}
make_repository
mkdir mnt
yore backup -q --host h --source system "$source"
mount_yore mnt
# reading the source may change its access times, and nothing else
same_content "$source" mnt/latest/h/system
same_listing "$source" mnt/latest/h/system
same_archive "$source" mnt/latest/h/system
