# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For tests of the replicator, after tests/lib.sh: an application with a ledger,
# a replicator that is started and killed, and what the mount says about it.

PATH=$top_builddir/tests/replicate:$PATH
state=$work/state
replicator=

# start_replicator [OPTIONS]...: of app.db; returns when it answers.
start_replicator() {
	yore replicate --host h --state-dir "$state" "$@" app.db \
		2>>"$work/replicate.log" &
	replicator=$!
	servers+=("$replicator")
	for _ in $(seq 100); do
		[ -S "$state/control/$replicator" ] && return
		kill -0 "$replicator" || break
		sleep 0.05
	done
	cat "$work/replicate.log" >&2
	fail 'the replicator does not answer'
}

# stop_replicator [SIGNAL]: and what it exited with must be right.
stop_replicator() {
	local status=0
	kill "-${1:-TERM}" "$replicator"
	wait "$replicator" || status=$?
	[ "${1-}" = KILL ] || [ $status = 0 ] ||
		fail "the replicator exited with $status"
}

# stored: everything committed so far is in the repository.
stored() {
	yore sync --wait --state-dir "$state" app.db
}

# points: the database at each point, oldest first, as files of a mount.
points() {
	[ -d "$work/mnt" ] || mkdir "$work/mnt"
	mountpoint -q "$work/mnt" || mount_yore "$work/mnt" >&2
	find "$work/mnt/sources/h/app.db/generations" -path '*/points/*/app.db' |
		sort -t/ -k 10,11
}

# check_points: every point equals the ledger, and the newest is its last
# commit.  Prints how many there are.
check_points() {
	points >"$work/points"
	xargs ledger check ledger <"$work/points" >"$work/judged" || {
		grep -v ' of ' "$work/judged" >&2
		fail 'a point is not as the ledger has it'
	}
	[ "$(sed 's/ of .*//' "$work/judged" | sort -n | tail -n 1)" = \
		"$(sed 's/.* of //' "$work/judged" | sort -n | tail -n 1)" ] ||
		fail "the last commit is missing: $(tail -n 1 "$work/judged")"
	wc -l <"$work/points"
}
