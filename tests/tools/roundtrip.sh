#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A tree with everything in it is the same after backup and restore.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/tools/tree.sh"
need_root

make_tree tree
make_deep tree/deep 1000
make_repository
yore backup -q --host h --source tree tree

yore restore -q h/tree@latest new
same_tree tree new
# the holes are holes again
[ "$(du -s tree | cut -f1)" = "$(du -s new | cut -f1)" ] ||
	fail "du: $(du -s tree new)"

# once more over what is there, and into an empty directory that exists
yore restore --overwrite --verify h/tree new >said
says said 'read back'
same_tree tree new
mkdir empty
yore restore -q h/tree empty
same_tree tree empty

# a directory with a default ACL does not pass it on
mkdir inherit
setfacl -d -m u:77:rwx inherit
yore restore -q h/tree:a inherit
same_tree tree/a inherit

# part of it
yore restore -q h/tree:a/b part
same_tree tree/a/b part
yore restore -q h/tree:random .
same tree/random random
yore restore -q h/tree:c/soft renamed
[ "$(readlink renamed)" = ../a/file ] || fail 'the symlink is another'
