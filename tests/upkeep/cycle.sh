#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Three writers, a replicator, a mount that is read all the time, forgetting and
# pruning with compaction, all at the same time, and killed with -9 now and then:
# nothing is lost, no error is read, nothing is left for ever.
# YORE_TEST_CYCLES=1000 for as many; the grace is four seconds.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1
. "$top_srcdir/tests/upkeep/cycle_lib.sh"
need_root
need_fuse

cycles=${YORE_TEST_CYCLES:-6}
RANDOM=${YORE_TEST_SEED:-1}
mkdir mnt pending seen
make_repository
for s in s0 s1 s2; do change "src.$s" 1; done
backup src.s0 s0
make_database
start_replicator

mount_yore -o refresh=1 mnt 2>mount.err
python3 "$top_srcdir/tests/upkeep/cycle_reader.py" mnt must stop >reader.out 2>&1 &
reader=$!
servers+=("$reader")

killed=0 time=1600000000
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
	prune_some $limit &
	jobs+=($!)
	forget_some s$((RANDOM % 3))
	wait "${jobs[@]}" || :
	[ ! -e bad ] || fail 'a backup failed'
	prune_ended
	kill -0 "$replicator" || { cat replicate.err; fail 'replicating stopped'; }
	[ $((RANDOM % 8)) != 0 ] || { stop_replicator KILL; start_replicator; }
	kill -0 "$reader" 2>/dev/null || { cat reader.out; fail 'the reader stopped'; }
	[ $((cycle % 10)) != 0 ] || all_there
done
touch stop
wait "$reader" || { cat reader.out; fail "the reader: cycle $cycle"; }
all_there
stop_replicator
prune_the_rest
all_there
yore restore -q h/db@latest dbout
rows=$(rows dbout)
[ "$rows" -ge $((cycles - 1)) ] || fail "$rows rows of $cycles are replicated"
echo "$cycles cycles, $pruned prunes, $killed killed, $rows rows; $(tail -n 1 reader.out)"
