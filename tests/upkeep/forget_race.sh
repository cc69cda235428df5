#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A backup of another source that stands still at each of its calls of the store
# while a whole run of forget passes, and the other way round: what was committed
# is there, what was forgotten is not, and the catalogs say so.
# shellcheck disable=SC2086 # commands are words
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/fault/faults.sh"
. "$top_srcdir/tests/upkeep/lib.sh"

make_repository
days 5
days 1 other
start() { rm -rf repo "$HOME/.local" && cp -a "$1" repo; }
cp -a repo whole

forget='yore forget -q --keep-last 2 h/t'
backup='yore backup -q --host h --source other tree'
undo='yore forget -q --undo'

# while_still STATE FIRST SECOND N: at every call of FIRST it stands still while
# SECOND runs; both succeed, and leave so many snapshots
while_still() {
	local state=$1 first=$2 second=$3 calls=0 n pid
	for ((status = 137; status == 137; calls++)); do
		start "$state"
		over "kill@$((calls + 1))" $first
	done
	for ((n = 1; n < calls; n++)); do
		start "$state"
		YORE_REPOSITORY=fault:delay=400@$n:$work/repo $first &
		pid=$!
		sleep 0.15
		$second
		wait $pid || fail "$first, still at call $n"
		catalogs_fit
		[ "$(yore snapshots h/t h/other | sed 1d | wc -l)" = "$4" ] ||
			fail "$first, $second, $n: $(yore snapshots)"
	done
	[ "$calls" -gt 8 ] || fail "only $calls calls of $first"
	echo "$first stood still at $((calls - 1)) calls"
}

while_still whole "$backup" "$forget" 4
while_still whole "$forget" "$backup" 4
start whole
$forget
cp -a repo less
while_still less "$undo" "$backup" 7
