#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# forget and its undo, killed or failing at every call of the store in turn: no
# snapshot is ever in neither place, and the next run ends as the first should
# have.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/fault/faults.sh"
. "$top_srcdir/tests/upkeep/lib.sh"

make_repository
days 5
all=$(records)
start() { rm -rf repo && cp -a "$1" repo; }

# nothing_lost: every record is somewhere, as it was
nothing_lost() {
	local there
	there=$(cd repo && mkdir -p gc/snap &&
		find snap gc/snap -type f -exec sha256sum {} + |
		sed 's, gc/, ,' | sort -u)
	[ "$there" = "$all" ] || fail "$spec: a record is lost"
}

# after SPEC COMMAND...: from $copy on, with that fault, then once more
after() {
	local spec=$1
	shift
	start "$copy"
	over "$spec" "$@"
	killed=$status
	[ "$killed" = 137 ] || explained
	nothing_lost
	run_status 0 "$@"
	nothing_lost
	[ "$(kept)" = "$wanted" ] || fail "$spec: $(kept)"
	catalogs_fit
}

# at_each COPY WANTED COMMAND...: every fault
at_each() {
	local copy=$1 wanted=$2 calls=0 killed=137 n
	shift 2
	for ((; killed == 137; calls++)); do
		after "kill@$((calls + 1))" "$@"
	done
	for ((n = 1; n < calls; n++)); do
		after "eio@$n" "$@"
	done
	[ "$calls" -gt 6 ] || fail "only $((calls - 1)) calls: $*"
	echo "$*: $((calls - 1)) calls"
}

cp -a repo whole
yore forget -q --keep-last 2
cp -a repo less
at_each whole '4 5' yore forget --keep-last 2
at_each less '1 2 3 4 5' yore forget --undo
# by name, of which a part is done when it is repeated
at_each whole '1 3 5' yore forget h/t@2026-11-17T12-00-00Z \
	h/t@2026-11-19T12-00-00Z
at_each less '2 4 5' yore forget --undo h/t@2026-11-17T12-00-00Z
