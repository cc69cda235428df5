#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Three writers, a replicator, a mount that is read all the time, forgetting and
# pruning with compaction, all at the same time, and killed with -9 now and then:
# nothing is lost, no error is read, nothing is left for ever.
# YORE_TEST_CYCLES=1000 for as many; the grace is four seconds.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1
need_root
need_fuse

cycles=${YORE_TEST_CYCLES:-6}
RANDOM=${YORE_TEST_SEED:-1}
mkdir mnt pending seen
make_repository
for s in s0 s1 s2; do change "src.$s" 1; done
backup src.s0 s0

# the database, of which every row is a number more
python3 -c 'import sqlite3; d = sqlite3.connect("app.db")
d.execute("pragma journal_mode=wal"); d.execute("create table t(n)")'
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
start_replicator

mount_yore -o refresh=1 mnt 2>mount.err
python3 "$top_srcdir/tests/upkeep/cycle_reader.py" mnt must stop >reader.out 2>&1 &
reader=$!
servers+=("$reader")

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

killed=0 pruned=0 time=1600000000
for ((cycle = 1; cycle <= cycles; cycle++)); do
	jobs=()
	for s in s0 s1 s2; do
		change "src.$s" $((RANDOM + cycle))
		limit=
		[ $((RANDOM % 5)) != 0 ] || { limit=0.0$((1 + RANDOM % 9)); killed=$((killed + 1)); }
		time=$((time + 60))
		one "$s" $time $limit &
		jobs+=($!)
	done
	row
	limit=
	[ $((RANDOM % 3)) != 0 ] || { limit=0.$((RANDOM % 4))$((RANDOM % 9)); killed=$((killed + 1)); }
	{ ${limit:+timeout -s KILL $limit} yore prune -q --grace 4s --unsafe-grace \
		--threshold 80 --pack-size 1M 2>err.prune; echo $? >status.prune; } &
	jobs+=($!)
	# the oldest ones of one source: gone from must first, for the reader's sake
	s=s$((RANDOM % 3))
	for old in $(ls must | grep "^$s@" | head -n -3); do
		mv "must/$old" "seen/$old"
		yore forget -q "h/$(at "$old")" 2>err.forget || { cat err.forget; fail forget; }
	done
	wait "${jobs[@]}" || :
	[ ! -e bad ] || fail 'a backup failed'
	case $(cat status.prune) in
	0) pruned=$((pruned + 1)) ;;
	137) ;;
	*) cat err.prune; fail 'a prune failed' ;;
	esac
	if [ $((RANDOM % 8)) = 0 ]; then
		kill -KILL "$replicator"
		start_replicator
	fi
	kill -0 "$reader" 2>/dev/null || { cat reader.out; fail 'the reader stopped'; }
	[ $((cycle % 10)) != 0 ] || all_there
done
touch stop
wait "$reader" || { cat reader.out; fail "the reader: cycle $cycle"; }
all_there
sleep 4.2
kill "$replicator"
wait "$replicator" || :
for _ in 1 2 3; do
	yore prune -q --grace 1s --unsafe-grace || fail 'the last prunes'
	sleep 1.2
done
all_there
yore restore -q h/db@latest dbout
rows=$(python3 -c 'import sqlite3; d = sqlite3.connect("dbout")
assert d.execute("pragma integrity_check").fetchone()[0] == "ok"
print(d.execute("select count(*) from t").fetchone()[0])')
[ "$rows" -ge $((cycles - 1)) ] || fail "$rows rows of $cycles are replicated"
left=$(yore prune -n --grace 1s --unsafe-grace --json | tail -n 1)
[ "$(jq '.waiting_packs + .young_packs' <<<"$left")" = 0 ] ||
	fail "something is left for ever: $left"
echo "$cycles cycles, $pruned prunes, $killed killed, $rows rows; $(tail -n 1 reader.out)"
