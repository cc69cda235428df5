#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Of a database one delta is lost: a mount shows every point before and behind it,
# but those that need it; these say which object is not there, and are the ones
# that check names.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
need_fuse

golden=$top_builddir/tests/golden
export YORE_REPOSITORY=$work/repo
"$golden/databases" repo big
mkdir mnt
mount_yore mnt
find mnt/sources/h/*/generations -path '*/points/*/*.db' | sort >points
xargs sha256sum <points >before
yore umount mnt

delta=$(find repo/db/*/000000000001 -type f | sort | sed -n 30p)
rm "$delta"
run_status 3 yore check --no-mark --json
lost=$(jq -s '[.[] | select(.part == "points") | .last - .first + 1] | add' out)

mount_yore mnt
while read -r point; do
	sha256sum "$point" 2>>errors || echo "$point" >>failed
done <points >after
! grep -vxFf before after || fail 'a point has changed'
[ "$(wc -l <failed)" = "$lost" ] ||
	fail "$(wc -l <failed) points cannot be read, $lost are said to be lost"
[ "$(grep -c . after)" -gt 60 ] || fail 'points are not shown'
[ "$(grep -c 'Input/output error' errors)" -ge $((lost - 1)) ]
says mnt/.yore/log "${delta#repo/} does not exist"
