#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Changes of keys that are interrupted or meet each other lock nobody out.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

for secret in one two; do echo $secret >$secret; done
head -c 40 /dev/urandom >key
head -c 40 /dev/urandom >new
export YORE_REPOSITORY=$work/repo
opens() { yore ls "$@" >/dev/null 2>&1; }

# at every call on the store in turn a change of passphrases dies
yore init -q --key-file key
cp -a repo fresh
for fault in $(seq 1 60); do
	rm -rf repo && cp -a fresh repo
	{ timeout 60 yore key passwd -q -r "fault:kill@$fault:$work/repo" \
		--key-file key --new-key-file new >/dev/null 2>&1 &&
		status=0 || status=$?; } 2>/dev/null
	opens --key-file key || opens --key-file new ||
		fail "locked out after call $fault"
	[ $status != 0 ] || opens --key-file new
	[ $status != 0 ] || break
done
[ "$fault" -gt 3 ] || fail 'nothing was interrupted'
[ $status = 0 ] || fail "still failing at call $fault"

# two add at one time: both are there
rm -rf repo && cp -a fresh repo
yore key add -q --key-file key --new-password-file one & first=$!
yore key add -q --key-file key --new-password-file two
wait $first
opens --password-file one && opens --password-file two
[ "$(find repo/keys -type f | wc -l)" = 3 ]

# two remove each other's: one stays
rm -rf repo && cp -a fresh repo
yore key add -q --key-file key --open
a=$(yore key list --json | jq -r 'select(.kind == "open").id')
b=$(yore key list --json | jq -r 'select(.kind == "key-file").id')
yore key remove -q --force "$a" 2>/dev/null & first=$!
yore key remove -q --force "$b" 2>/dev/null || true
wait $first || true
opens || opens --key-file key || fail 'nothing opens any more'

# there is an end to it
rm -rf repo && cp -a fresh repo
for ((i = 1; i < 32; i++)); do
	yore key add -q --key-file key --new-key-file key
done
run_status 1 yore key add --key-file key --new-key-file key
says err 'no more than 32'
[ "$(find repo/keys -type f | wc -l)" = 32 ]
