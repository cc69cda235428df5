#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A mirror has every object, byte for byte; killed anywhere it shows no snapshot
# that is not whole, and goes on.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

echo pass >pass
export YORE_REPOSITORY=$work/repo YORE_PASSWORD_FILE=$work/pass
yore init -q
mkdir tree
for ((i = 0; i < 4; i++)); do
	head -c 3000000 /dev/urandom >tree/$i
	yore backup -q --host h --source t tree
done
mirror() { env -u YORE_PASSWORD_FILE yore copy -r repo --to "$work/mirror" --mirror "$@"; }
same_objects() { diff -r "$work/repo" "$1" -x tmp || fail "$1 is no mirror"; }

# dies at every call in turn; what it shows is whole each time, and it goes on
rm -rf mirror
for ((at = 2; at < 60; at += 3)); do
	{ env -u YORE_PASSWORD_FILE timeout 60 yore copy -q -r repo --mirror \
		--to "fault:kill@$at:$work/mirror" >/dev/null 2>&1 &&
		status=0 || status=$?; } 2>/dev/null
	[ $status != 0 ] || break
	[ -e mirror/format ] && [ -n "$(ls mirror/keys 2>/dev/null)" ] || continue
	for id in $(yore snapshots -r mirror --json | jq -r .id); do
		yore restore -q -r mirror "@$id" out
		rm -rf out
	done
done
run_status 0 mirror
same_objects mirror
run_status 0 mirror
says out '^0 objects copied .*, 0 removed'
run_status 0 mirror --verify

# not over something else
run_status 1 yore copy -r repo --mirror --to tree
says err 'not empty'
yore init -q -r other
run_status 1 yore copy -r repo --mirror --to other
says err 'another repository'
run_status 10 yore copy -r tree --mirror --to nowhere

# what is gone stays, and goes when it is told to: snapshots by way of the trash
id=$(yore snapshots --json | jq -rs '.[0].id')
yore forget -q "@$id"
pack=$(find mirror/data -type f | head -n 1)
rm "repo/${pack#mirror/}"
run_status 0 mirror
[ -e "$pack" ] && ls mirror/snap/*/*-"$id" >/dev/null
run_status 0 mirror --delete
[ -e "$pack" ] || fail 'removed before its time'
[ -z "$(ls mirror/snap/*/*-"$id" 2>/dev/null)" ]
ls mirror/gc/snap/*/*-"$id" >/dev/null
run_status 0 mirror --delete --grace 0s
[ ! -e "$pack" ]
same_objects mirror

# a byte that differs is found by looking
pack=$(find mirror/data -type f | head -n 1)
damage "$pack" 5000
run_status 0 mirror
run_status 1 mirror --verify
says err 'not the same in both'
