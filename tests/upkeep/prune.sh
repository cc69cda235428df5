#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What was forgotten is freed, in two prunes and not before the grace is over;
# what is left is no more than a new repository would hold, and reads.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1

make_repository
for i in {1..9}; do
	change src "$i"
	backup src s
done
before=$(packs repo | wc -l)
yore forget -q --keep-last 1
find must -type f ! -name "$snapshot" -delete
# a day at least, unless asked otherwise
run_status 2 yore prune --grace 23h
says err 'less than a day'
# a dry run changes nothing and says what a run would do
find repo -type f | LC_ALL=C sort >was
yore prune -n -v >dry
find repo -type f | LC_ALL=C sort | cmp - was
says dry 'too young'
prune -n >dry
says dry 'would condemn .* of no use'
# the first one condemns and copies, and deletes no pack
packs repo >was
prune >out
says out 'condemned .* of no use'
[ -z "$(packs repo | LC_ALL=C comm -13 - was)" ] || fail 'a pack went at once'
all_there
# without the grace being over nothing goes
yore prune >out
says out '^waiting: '
[ -z "$(packs repo | LC_ALL=C comm -13 - was)" ] || fail 'the grace was not kept'
prune >out
says out '^deleted .* pack'
all_there
prune -q
[ "$(prune --json | field deleted_packs)" = 0 ] || fail 'there was more to delete'
[ "$(packs repo | wc -l)" -lt "$before" ]
all_there
# the same source in a new repository
yore init -q --no-passphrase -r fresh
yore backup -q -r fresh --host h --source s src
new=$(du -sb fresh/data | cut -f1) old=$(du -sb repo/data | cut -f1)
[ "$old" -le $((new * 115 / 100)) ] || fail "$old bytes are left, $new suffice"
# the next backup has nothing to bring, and heals the hints
yore backup -q --host h --source s src
yore restore -q h/s@latest again 2>err
[ ! -s err ] || fail "$(cat err)"
same_tree src again
