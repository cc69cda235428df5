# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests/upkeep/cycle.sh: what writes, and may be killed.

# the database, of which every row is a number more
make_database() {
	python3 -c 'import sqlite3; d = sqlite3.connect("app.db")
d.execute("pragma journal_mode=wal"); d.execute("create table t(n)")'
}
row() {
	python3 -c 'import sqlite3, os; d = sqlite3.connect("app.db", 10)
d.execute("insert into t values((select count(*) from t))"); d.commit()'
}
replicator=
start_replicator() {
	yore replicate -q --host h --source db --sync-interval 1 app.db \
		2>>replicate.err &
	replicator=$!
	servers+=("$replicator")
}
stop_replicator() {
	kill "-${1-TERM}" "$replicator"
	wait "$replicator" || :
}
# rows FILE: how many the database has, which is sound
rows() {
	python3 -c 'import sqlite3, sys; d = sqlite3.connect(sys.argv[1])
assert d.execute("pragma integrity_check").fetchone()[0] == "ok"
print(d.execute("select count(*) from t").fetchone()[0])' "$1"
}

# one SOURCE TIME KILL: a backup; KILL is how long it may live, if so.  What it
# must hold counts when its record is there.
one() {
	local status=0
	manifest "src.$1" >"pending/$1@$2"
	${3:+timeout -s KILL "$3"} yore backup -q --host h --source "$1" \
		--time "@$2" "src.$1" 2>"err.$1" || status=$?
	[ $status = 0 ] || [ $status = 137 ] || grep -q 'again' "err.$1" ||
		{ cat "err.$1"; touch bad; }
	if yore snapshots --json "h/$1" 2>>err.look | grep -q "$(at "x@$2" | cut -c3-)"; then
		mv "pending/$1@$2" "must/$1@$2"
	fi
}

# forget_some SOURCE: all but its three newest, from must first, for the
# reader's sake
forget_some() {
	local old
	for old in $(ls must | grep "^$1@" | head -n -3); do
		mv "must/$old" "seen/$old"
		yore forget -q "h/$(at "$old")" 2>err.forget ||
			{ cat err.forget; fail forget; }
	done
}

# prune_some [KILL]: a prune; KILL as above.  prune_ended: how the last one did,
# counted in pruned.
prune_some() {
	local status=0
	${1:+timeout -s KILL "$1"} yore prune -q --grace 4s --unsafe-grace \
		--threshold 80 --pack-size 1M 2>err.prune || status=$?
	echo $status >status.prune
}
pruned=0
prune_ended() {
	case $(cat status.prune) in
	0) pruned=$((pruned + 1)) ;;
	137) ;;
	*) cat err.prune; fail 'a prune failed' ;;
	esac
}

# prune_the_rest: all that time keeps goes, and nothing is left for ever.
prune_the_rest() {
	local left
	sleep 4.2
	for _ in 1 2 3; do
		yore prune -q --grace 1s --unsafe-grace || fail 'the last prunes'
		sleep 1.2
	done
	left=$(yore prune -n --grace 1s --unsafe-grace --json | tail -n 1)
	[ "$(jq '.waiting_packs + .young_packs' <<<"$left")" = 0 ] ||
		fail "something is left for ever: $left"
}
