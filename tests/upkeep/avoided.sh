#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A backup refers to nothing that is condemned or gone: what it needs of that is
# stored again, and when it has been deleted everything is there.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/upkeep/gc.sh"

make_repository
make_tree
back_up
packs >old
# shellcheck disable=SC2046 # names of objects
state condemn $(cat old)

# nowhere else: all is read again, by a dry run too
back_up --dry-run
[ "$(said new_bytes)" -gt 4000000 ] || fail 'a dry run that knows what is condemned'
back_up
refers_to_none "$(newest)" old
[ "$(said new_bytes)" -gt 4000000 ]

# as it was: nothing of the snapshot before is looked at again
back_up
refers_to_none "$(newest)" old
[ "$(said new_bytes)" = 0 ] && [ "$(said files_unchanged)" = "$(said files)" ]

# what is condemned goes: new snapshots need no index, the old one does, and
# has no pages that are not its own
grep data/ old | (cd repo && xargs rm -f)
restores "$(newest)" quietly
restores "$(records | head -n 1)"
says err 'read from .* instead'
(cd repo && xargs rm -f <../old)
mv repo/idx idx
restores "$(newest)" quietly
mv idx repo/idx

# elsewhere: another source has stored the same meanwhile; nothing is read again
packs >second
# shellcheck disable=SC2046
state condemn $(cat second)
source=other back_up
[ "$(said new_bytes)" -gt 4000000 ]
back_up
refers_to_none "$(newest)" second
[ "$(said new_bytes)" = 0 ] && [ "$(said files_unchanged)" = "$(said files)" ]
touch tree/sub/new
back_up
refers_to_none "$(newest)" second

# gone is avoided as well, though the index names it
# shellcheck disable=SC2046
state gone $(cat second)
# shellcheck disable=SC2046
state drop $(cat second)
(cd repo && xargs rm -f <../second)
back_up
refers_to_none "$(newest)" second
restores "$(newest)" quietly
