#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forgetting, pruning and undoing together: what comes back is whole, or does
# not come back; mounts drop what was forgotten, and show it again.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1
need_fuse

make_repository
mkdir -p mnt src
for i in {1..5}; do
	head -c 300000 /dev/urandom >src/big
	change src "$i"
	backup src s
	names[i]=$snapshot
done
records() { find repo/snap -type f | sort; }
before=$(records)
mount_yore -o refresh=0 "$work/mnt"
refresh() {
	local i
	kill -HUP "$(daemon_of mnt)"
	for ((i = 0; i < 250; i++)); do
		[ "$(ls mnt/sources/h/s/snapshots | wc -l)" != "$1" ] || return 0
		sleep 0.02
	done
	fail "the mount shows $(ls mnt/sources/h/s/snapshots | wc -l), not $1"
}
first=mnt/sources/h/s/snapshots/$(at "${names[1]}" | sed 's/.*@//')
size=$(stat -c %s "$first/big")
exec 7<"$first/big"

yore forget -q --keep-last 1
refresh 1
[ ! -e "$first" ] || fail 'the mount shows what was forgotten'
# condemned, and back before anything was deleted
find repo/data repo/meta -type f -exec touch -d '30 days ago' {} +
yore prune >out
says out '^condemned '
cat <&7 >now || fail 'an open file cannot be read'
exec 7<&-
[ "$(wc -c <now)" = "$size" ] || fail 'an open file is cut off'
run_status 0 yore forget --undo
says out '^4 snapshots brought back$'
[ "$(records)" = "$before" ] || fail 'not all are back'
refresh 5
sha256sum "$first/big" >/dev/null || fail 'what is back cannot be read'
yore prune >out
says out '^used again: '
all_there

# out of the trash: nothing comes back any more
cp -a repo/gc none 2>/dev/null
yore forget -q --keep-last 1
cp -a repo/gc/snap trash
find must -type f ! -name "${names[5]}" -delete
for i in {1..4}; do prune -q; done
all_there
run_status 0 yore forget --undo
says out '^0 snapshots brought back$'

# records that are in the trash though pruning has freed what they need
cp -a trash/. repo/gc/snap/
run_status 1 yore forget --undo
says err 'pruning has freed what it needs$'
says out '^0 snapshots brought back$'
[ "$(records | wc -l)" = 1 ] || fail 'a snapshot without its data is shown'
refresh 1
all_there
