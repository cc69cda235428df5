#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reading data goes on where the last run ended, whether that had read its share
# or was killed; what was found bad before is told again.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

make_repository
mkdir src
for n in {1..14}; do
	head -c 60000 /dev/urandom >src/$n
	yore backup -q --host h --source s src
done

# share FILE: in per mille
share() {
	jq 'select(.type == "check").share * 1000 | floor' "$1"
}
read_bytes() {
	jq 'select(.type == "check").read_bytes' "$1"
}

# A part at a time: all of it has been read in a few runs.
last=0
for _ in 1 2 3 4 5; do
	run_status 0 yore check --read-data-subset 25% --json
	[ "$(share out)" -gt $last ] || fail "stuck at $last"
	last=$(share out)
	[ "$last" -lt 1000 ] || break
done
[ "$last" = 1000 ] || fail "not all was read: $last"
run_status 0 yore check --time-budget 0.000001 --json
[ "$(share out)" -lt 1000 ] || fail 'a budget of nothing read everything'
[ "$(jq -r 'select(.type == "check").before' out)" != null ] ||
	fail 'the round before is not told'

# Killed on its way, with a pack damaged that has been read by then.
pack=$(find repo/data -type f | sort | head -n 1)
damage "$pack" 500
yore check -r "fault:delay=1500@12+:$YORE_REPOSITORY" --read-data --no-mark \
	>/dev/null 2>&1 &
servers+=($!)
state=$(echo "$HOME"/.local/state/yore/*/check)
for _ in {1..200}; do
	grep -q '^cursor data/' "$state"/* && break
	sleep 0.1
done
kill -9 "${servers[-1]}"
grep -q '^whole' "$state"/* || fail 'it was over before it was killed'
run_status 3 yore check --read-data --no-mark --json
all=$(du -bc repo/data repo/meta | tail -n 1 | cut -f1)
[ "$(read_bytes out)" -lt $((all - 60000)) ] ||
	fail "$(read_bytes out) of $all were read again"
[ "$(share out)" = 1000 ] || fail "share $(share out)"
says out "\"object\":\"${pack#repo/}\",\"offset\":64"
# the next one begins anew
run_status 3 yore check --read-data --no-mark --json
[ "$(read_bytes out)" -gt $((all / 2)) ] || fail 'a new round reads all'
