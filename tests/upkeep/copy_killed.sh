#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A copy that dies at any call goes on; what is damaged in the source is no copy,
# or one that lacks it and is not taken for whole later.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

yore init -q -r from --no-passphrase
yore init -q -r to --no-passphrase
mkdir -p tree/sub/deep
for day in 1 2 3 4; do
	head -c 700000 /dev/urandom >tree/big$day
	head -c 300000 /dev/urandom | split -b 9000 - tree/sub/deep/s$day
	yore backup -q -r from --host h --source t --time 2026-01-0${day}T00:00:00Z tree
	cp -a tree tree$day
done
same_snapshots() {
	local day
	for day in "$@"; do
		yore restore -q -r "$to" h/t@2026-01-0${day}T00-00-00Z "$work/restored"
		same_tree "$work/tree$day" "$work/restored"
		rm -rf "$work/restored"
	done
}
to=to
cp -a to fresh
for ((at = 15; at < 400; at += 4)); do
	{ timeout 60 yore copy -q -r from --to "fault:kill@$at:$work/to" \
		>/dev/null 2>&1 && status=0 || status=$?; } 2>/dev/null
	[ $status != 0 ] || break
done
[ $status = 0 ] && [ $at -gt 40 ] || fail "status $status after $at"
[ "$(yore snapshots -r to --json | wc -l)" = 4 ]
same_snapshots 1 2 3 4

# a frame of day 2 alone is damaged: 1 is copied, the others are not; without
# what lay there they are
cp -a from whole
before=$(yore needs -r from h/t@2026-01-01T00-00-00Z | grep -o "data/[^ ]*")
pack=$(yore needs -r from h/t@2026-01-02T00-00-00Z:big2 |
	grep -o "data/[^ ]*" | grep -vxF "$before" | head -n 1)
damage "from/$pack" 5000
damage "from/$pack" 200000
damage "from/$pack" 500000
cp -a fresh to2
to=to2
run_status 3 yore copy -r from --to to2
says out '^1 copied, .*3 failed'
says err 'big2|deep'
same_snapshots 1
run_status 3 yore copy -r from --to to2 --leave-out-damaged
says out '^3 copied'
[ "$(yore snapshots -r to2 --json | wc -l)" = 4 ]
yore ls -r to2 h/t | grep -qx big4 || fail 'more than that was left out'

# healed, the next snapshot has all of it
rm -rf from && mv whole from
echo new >tree/new
cp -a tree tree5
yore backup -q -r from --host h --source t --time 2026-01-05T00:00:00Z tree
run_status 0 yore copy -r from --to to2
same_snapshots 5
