#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A tree with everything in it is the same in a mount, by every measure there
# is, however it is mounted; and after a restore.
. "${top_srcdir:-.}/tests/fidelity/same.sh" || exit 1
need_root
need_fuse

make_everything tree
make_repository
mkdir mnt
yore backup -q --host h --source tree tree
there=mnt/latest/h/tree

# attributes_of DIR: ACLs and capabilities, as their own tools print them
attributes_of() (
	cd "$1"
	find . -path ./deep -prune -o ! -type l -print0 | sort -z |
		xargs -0 getfacl -np
	getcap -r . | sort
)

# inodes DIR: of every name, to be found again
inodes() {
	find "$1" -printf '%i %P\0' | sort -z
}

for options in nostore allow_other; do
	mount_yore -o $options mnt
	same_listing tree $there
	same_usage tree $there
	attributes_of $there | cmp - <(attributes_of tree)

	# an inode number belongs to one file, and to it in every mount
	inodes $there >inodes.$options
	names=$(tr -cd '\0' <inodes.$options | wc -c)
	numbers=$(tr '\n\0' '?\n' <inodes.$options | cut -d' ' -f1 | sort -u |
		wc -l)
	[ "$names" = $((numbers + 4)) ] || # 2 + 1 + 1 more names
		fail "$names names, $numbers inode numbers"
	[ $options = allow_other ] || same_content tree $there
	same_archive tree $there
	yore umount mnt
done
cmp inodes.nostore inodes.allow_other

yore restore -q h/tree new
same_listing tree new restored
same_content tree new
same_archive tree new
