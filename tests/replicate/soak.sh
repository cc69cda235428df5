#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/replicate/soak.sh SECONDS [POINTS [KILL [INTERVAL]]]: 500 commits a
# second, checkpoints of every mode beside them, replicator or application killed
# every KILL (30) seconds, a server where about one request in twenty fails, a
# point every INTERVAL (1) seconds; then so many points at random (10,000) are
# compared with the ledger.  Not part of `make check`.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top_srcdir/tests/s3/lib.sh" || exit 1
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse
seconds=${1:-1800} wanted=${2:-10000} every=${3:-30} interval=${4:-1}
patience=300
end=$((SECONDS + seconds)) kills=0 faults=0

start_server
export YORE_REPOSITORY=s3://yore/r
yore init -q --no-passphrase
kinds=(503 500 reset close unheard error)

# pause SECONDS: meanwhile one of the next 40 requests fails, again and again.
pause() {
	local until=$((SECONDS + $1))
	while [ $SECONDS -lt $until ]; do
		server "fault * * $((RANDOM % 40 + 1)) ${kinds[RANDOM % 6]}"
		faults=$((faults + 1))
		sleep 1
	done
}

ledger run app.db ledger 0.2 100 >run
start_replicator --sync-interval "$interval"
while [ $SECONDS -lt $end ]; do
	ledger run app.db ledger 3600 500 >>runs 2>>runs &
	app=$!
	ledger checkpoint app.db $((every - 2)) >>checkpoints &
	servers+=($app $!)
	pause "$every"
	kill -0 "$replicator" || fail "it has ended: $(tail -n 3 replicate.log)"
	if [ $((kills++ % 2)) = 0 ]; then
		stop_replicator KILL
		start_replicator --sync-interval "$interval"
	fi
	kill -KILL $app
	wait $app || :
done
until stored 2>late; do
	[ $((patience--)) -gt 0 ] || fail "not stored: $(cat late)" \
		"$(yore status --state-dir "$state" || :)"
	sleep 1
done
points >points
shuf -n "$wanted" points >some
tail -n 1 points >>some
xargs -n 200 ledger check ledger <some >judged ||
	fail "$(grep -v ' of ' judged | head)"
# of the commit in which the last one was killed either state is right
last=$(tail -n 1 judged)
[ "${last% of *}" -ge "${last#* of }" ] ||
	fail "the last commit is missing: $last"
echo "$(wc -l <points) points, $(wc -l <some) compared, $kills kills," \
	"$faults faults, $(asked) requests," \
	"$(ls mnt/sources/h/app.db/generations | wc -l) generations"
