#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Litestream 0.3 itself replicates a database under load, to a directory and to
# an S3 service; a mount follows, and at the end every index and every moment of
# it is what `litestream restore` makes of the same.
#
#   litestream03_live.sh [SECONDS]      for each of the two; 40
#
# Not among the tests that are always run: litestream is no Debian package. It
# is looked for in LITESTREAM03 and PATH; npm has it:
#   npm pack @flydotio/litestream-linux-x64@1.0.1 && tar xzf *.tgz
seconds=${1:-40}
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
litestream=${LITESTREAM03:-$(command -v litestream || :)}
case $("${litestream:-false}" version 2>&1) in
v0.3.*) ;;
*) echo 'NOT TESTED: needs litestream 0.3, in LITESTREAM03'; exit 77 ;;
esac
need_fuse

# load DB: writes until $work/stop exists, now and then a checkpoint by others.
load() {
	python3 - "$1" "$work/stop" <<'P'
import os, random, sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
random.seed(3)
db.execute('create table if not exists t(id integer primary key, step, b)')
step = 0
while not os.path.exists(sys.argv[2]):
    db.execute('begin immediate')
    for i in range(random.choice((1, 5, 200))):
        db.execute('insert into t(step, b) values (?, randomblob(?))',
                   (step, random.randrange(900)))
    db.execute('update t set step = ? where id % 97 = ?', (step, step % 97))
    db.execute('delete from t where id % 13 = ?', (step % 13,))
    db.execute('commit')
    step += 1
    time.sleep(random.random() / 5)
    if step % 100 == 99:
        db.execute('vacuum')
P
}

# replicate REPLICA: litestream in the background.
replicate() {
	cat >config.yml <<C
dbs:
  - path: $work/orders.db
    min-checkpoint-page-count: 60
    replicas:
      - url: $1
        ${s3_endpoint:+endpoint: $s3_endpoint}
        ${s3_endpoint:+region: $s3_region}
        ${s3_endpoint:+force-path-style: true}
        snapshot-interval: 12s
        retention: 1h
C
	"$litestream" replicate -config config.yml >>litestream.log 2>&1 &
	servers+=($!)
	pid=$!
}

# restored COPY ARGUMENTS...: what litestream makes of the replica.
restored() {
	rm -f "$1"
	"$litestream" restore -config config.yml -o "$1" "${@:2}" \
		"$work/orders.db" >restore.log 2>&1 || { cat restore.log; return 1; }
}

# watch MOUNT: what is newest is a whole database, again and again.
watch() {
	local n=0 before='' now
	while [ $SECONDS -lt "$end" ]; do
		now=$(sqlite3 "$1"/latest/*/orders.db/orders.db \
			'select max(step) from t' 2>&1) || fail "latest: $now"
		[ "$now" = "$before" ] || n=$((n + 1))
		before=$now
		sleep 1
	done
	echo "the mount followed: $n states"
	[ "$n" -gt $((seconds / 4)) ] || fail 'it did not follow'
}

compare_indexes() {
	local generation index n=0
	while read -r generation index; do
		index=$(printf %08x "$index") # it lists decimal numbers
		restored copy -generation "$generation" -index "$index"
		same copy "mnt/by-id/$generation-$index/orders.db.raw"
		n=$((n + 1))
	done < <("$litestream" wal -config config.yml "$work/orders.db" |
		awk 'NR > 1 { print $2, $3 }' | sort -u)
	echo "$n indexes are as litestream restores them"
	[ $n -gt 2 ] || fail 'too few'
}

# same_generation PATH: as the end of some generation: at its time, and for as
# long as no other one has begun, litestream finds nothing.
same_generation() {
	local generation
	for generation in $("$litestream" generations -config config.yml \
		"$work/orders.db" | awk 'NR > 1 { print $2 }'); do
		restored copy -generation "$generation"
		cmp -s copy "$1" && return
	done
	fail "$1: the end of no generation"
}

compare_moments() {
	local path day time ms n=0
	for path in mnt/sources/*/orders.db/generations/*/points/*/*; do
		time=${path##*/} day=${path%/*} day=${day##*/}
		ms=${time#*.} time=${time%%.*}
		# what follows in its millisecond litestream takes with it
		[ ! -e "$path-2" ] && [ "${#ms}" = 4 ] || continue
		if restored copy -timestamp \
			"${day}T${time//-/:}.${ms%Z}999Z" >said; then
			same copy "$path/orders.db.raw"
		else
			says said 'no matching backups found'
			same_generation "$path/orders.db.raw"
		fi
		n=$((n + 1))
	done
	echo "$n moments are as litestream restores them"
	[ $n -gt "$((seconds / 2))" ] || fail 'too few'
}

# live REPLICA REPOSITORY
live() {
	rm -rf orders.db* .orders.db* stop
	sqlite3 orders.db 'pragma journal_mode=wal' >wal
	load "$work/orders.db" &
	servers+=($!)
	replicate "$1"
	for _ in {1..100}; do
		mkdir -p mnt
		YORE_CACHE_DIR=$work/cache yore mount -r "$2" -o refresh=1 \
			mnt 2>err && break
		sleep 0.3
	done
	mounts+=("$work/mnt")
	mountpoint -q mnt || fail "not mounted: $(cat err)"
	end=$((SECONDS + seconds / 2))
	watch mnt
	kill -9 $pid # and a new generation, if it does not find its way back
	wait $pid 2>/dev/null || :
	sqlite3 orders.db 'pragma wal_checkpoint(truncate)' >wal
	replicate "$1"
	end=$((SECONDS + seconds / 2))
	watch mnt
	touch stop
	sleep 2.5
	kill -INT $pid
	wait $pid || :
	sleep 2.5
	compare_indexes
	compare_moments
	yore umount mnt
}

echo 'to a directory:'
mkdir replica
unset s3_endpoint
live "file://$work/replica/orders.db" "$work/replica/orders.db"
[ -n "$(command -v radosgw)" ] || { echo 'NOT TESTED: radosgw'; exit 0; }
start_ceph
echo 'to radosgw:'
export LITESTREAM_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID
export LITESTREAM_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY
live "s3://$s3_bucket/live/orders.db" "s3://$s3_bucket/live/orders.db"
