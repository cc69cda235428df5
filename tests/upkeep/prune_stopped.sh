#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A backup that stands still while two real prunes, and the grace between them,
# go by: it fails in a line and leaves nothing, or its snapshot is whole.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/upkeep/gc.sh"

cat >prunes <<'EOF2'
yore prune -q --grace 0s --unsafe-grace
sleep 0.02
yore prune --json --grace 0s --unsafe-grace | tail -n 1 >pruned
EOF2

# forgotten_content: tree is again what a forgotten snapshot had, that no prune
# has condemned yet
forgotten_content() {
	rm -rf tree again
	mkdir tree
	head -c 700000 /dev/urandom >tree/old
	for i in {1..30}; do head -c 2000 /dev/urandom >tree/f$i; done
	back_up
	cp -r tree again
	rm tree/*
	echo nothing >tree/else
	back_up
	yore forget -q --keep-last 1 h/t
	rm -r tree
	mv again tree
}

# ids: of all snapshots, the oldest first.
ids() { yore snapshots --json | jq -r 'select(.id).id'; }
newest() { echo "-$(ids | tail -n 1)"; }

make_repository
for when in begun before after; do
	forgotten_content
	ids >before
	status=0
	"$stopped" "$YORE_REPOSITORY" tree $when 'bash -e prunes' 2>err || status=$?
	[ "$(jq .deleted_packs pruned)" -gt 0 ] ||
		[ "$(jq .resurrected_packs pruned)" -gt 0 ] ||
		fail "$when: nothing was deleted and nothing taken back"
	if [ $status = 0 ]; then
		echo "$when: the snapshot is whole"
	else
		one_line err
		says err 'was pruned meanwhile: run it again'
		ids | same before -
		echo "$when: refused"
	fi
	yore backup -q --host h --source t tree
	restores "$(newest)" quietly
	yore prune -q --grace 0s --unsafe-grace
	restores "$(newest)"
done
