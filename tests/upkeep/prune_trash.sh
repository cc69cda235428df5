#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A snapshot that was forgotten and is damaged does not keep prune from its work,
# nor is it looked at before something is about to be deleted.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1

make_repository
mkdir -p src/sub
# directories that are pages of their own, not in the record
for i in {1..400}; do echo "$i" >"src/sub/a long name of a file $i"; done
backup src s
first=$snapshot old=$(find repo/meta -type f)
for i in {1..400}; do echo "x$i" >"src/sub/another name of a file $i"; done
rm src/sub/a*long*
backup src s
remove "$first"
for pack in $old; do damage "$pack" 100; done
find repo/meta -type f -exec touch -d '30 days ago' {} +
run_status 0 yore prune
! grep -q 'brought back' err || fail 'the trash was read'
says out '^condemned [1-9]'
# these are due, while what was removed still has its grace
find repo/gc -maxdepth 1 -type f -exec touch -d '30 days ago' {} +
run_status 0 yore prune
says err 'warning: a removed snapshot cannot be brought back: meta/'
says out '^waiting: 1 pack'
all_there
# and undo says so, too
run_status 1 yore forget --undo
