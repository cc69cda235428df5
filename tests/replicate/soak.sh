#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/replicate/soak.sh SECONDS [POINTS]: 500 commits a second, checkpoints of
# every mode beside them, replicator or application killed every 30 s, a store
# that fails one request in twenty; then so many points at random (10,000) are
# compared with the ledger.  Not part of `make check`.
. "${top_srcdir:-$(dirname "$0")/../..}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse
make_repository
seconds=${1:-1800} wanted=${2:-10000}
end=$((SECONDS + seconds)) kills=0

# The first 16 of the calls that fail, one in twenty.
faults() {
	seq -s, -f 'eio@%.0f' $((RANDOM % 40 + 10)) 20 400 | cut -d, -f1-16
}

ledger run app.db ledger 0.2 100 >run
start_replicator -r "fault:$(faults):$YORE_REPOSITORY"
while [ $SECONDS -lt $end ]; do
	ledger run app.db ledger 3600 500 >>runs 2>>runs &
	app=$!
	ledger checkpoint app.db 28 >>checkpoints &
	sleep 30
	if [ $((kills++ % 2)) = 0 ]; then
		stop_replicator KILL
		start_replicator -r "fault:$(faults):$YORE_REPOSITORY"
	fi
	kill -KILL $app
	wait $app || :
done
for _ in $(seq 60); do
	stored && break
	sleep 1
done
points >points
shuf -n "$wanted" points >some
tail -n 1 points >>some
xargs -n 200 ledger check ledger <some >judged ||
	fail "$(grep -v ' of ' judged | head)"
[ "$(tail -n 1 judged | sed 's/ of .*//')" = \
	"$(tail -n 1 judged | sed 's/.* of //')" ] || fail 'the last commit is missing'
echo "$(wc -l <points) points, $(wc -l <some) compared, $kills kills," \
	"$(ls mnt/sources/h/app.db/generations | wc -l) generations"
grep -c . replicate.log
