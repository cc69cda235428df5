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
	{
		status=0
		${limit:+timeout -s KILL $limit} yore prune -q --grace 4s \
			--unsafe-grace --threshold 80 --pack-size 1M \
			2>err.prune || status=$?
		echo $status >status.prune
	} &
	jobs+=($!)
	forget_some s$((RANDOM % 3))
	wait "${jobs[@]}" || :
	[ ! -e bad ] || fail 'a backup failed'
	case $(cat status.prune) in
	0) pruned=$((pruned + 1)) ;;
	137) ;;
	*) cat err.prune; fail 'a prune failed' ;;
	esac
	kill -0 "$replicator" || { cat replicate.err; fail 'replicating stopped'; }
	if [ $((RANDOM % 8)) = 0 ]; then
		kill -KILL "$replicator"
		wait "$replicator" || :
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
rows=$(rows dbout)
[ "$rows" -ge $((cycles - 1)) ] || fail "$rows rows of $cycles are replicated"
left=$(yore prune -n --grace 1s --unsafe-grace --json | tail -n 1)
[ "$(jq '.waiting_packs + .young_packs' <<<"$left")" = 0 ] ||
	fail "something is left for ever: $left"
echo "$cycles cycles, $pruned prunes, $killed killed, $rows rows; $(tail -n 1 reader.out)"
