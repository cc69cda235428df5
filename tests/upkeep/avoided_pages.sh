#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Pages that are condemned are stored again though nothing in them changed; and
# once a snapshot keeps away from a state nothing of it is looked at again.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/upkeep/gc.sh"

make_repository
make_tree
back_up
packs | grep meta/ >old
# shellcheck disable=SC2046 # names of objects
state condemn $(cat old)
back_up
refers_to_none "$(newest)" old
[ "$(said new_bytes)" = 0 ] && [ "$(said files_unchanged)" = "$(said files)" ]
(cd repo && xargs rm -f <../old)
restores "$(newest)" quietly

# the pages of directories move on, those of extents stay where they are
packs | grep meta/ >second
touch tree/new tree/sub/new
back_up
refs "$(newest)" | grep -xFf second >/dev/null || fail 'no page of extents stayed'
mkdir away
while read -r pack; do mv "repo/$pack" away/; done <second
touch tree/newer tree/sub/newer
back_up
[ "$(said files_unchanged)" = $(($(said files) - 2)) ] ||
	fail 'what the snapshot before has of big files was read'
[ "$(said new_bytes)" = 0 ]

# a newer state: now it is looked at, and is missing
state lost data/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
complains=1 back_up
[ "$(said files_changed)" -gt 0 ] || fail 'a newer state is not looked at'
