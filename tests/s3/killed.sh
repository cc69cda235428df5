#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A mount that is killed with -9 while programs read through it and its cache is
# written, evicted from and read; and mounted again over what that left.  Never a
# wrong byte, and no error but that the mount is gone.
# YORE_TEST_KILLS=300 for as many points; the moments spread over a second.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_root
need_fuse

unset YORE_CACHE_DIR
kills=${YORE_TEST_KILLS:-20}
mkdir -p tree/{small,large} mnt bucket
for i in {1..400}; do head -c $((i * 37)) /dev/urandom >tree/small/$i; done
for i in {1..8}; do head -c 3000000 /dev/urandom >tree/large/$i; done
yore init -q --no-passphrase -r bucket/r
yore backup -q -r bucket/r --host h --source t tree
start_server
server 'fault GET *data* 1+ delay=5'
export YORE_REPOSITORY=s3://yore/r
t=mnt/latest/h/t

# smaller than what is read, so that something is evicted all the time
yore cache limit 12M --min-free 0
compared=0
for ((i = 0; i < kills; i++)); do
	mount_yore -o refresh=0,nostore "$work/mnt"
	pid=$(daemon_of mnt)
	python3 "$s3/readers.py" tree $t $i 3 2>err &
	readers=$!
	# from the first request on, a little later each time
	sleep "$(awk -v i=$i -v n="$kills" 'BEGIN { print 0.05 + i / n }')"
	kill -KILL "$pid"
	status=0
	wait $readers || status=$?
	[ $status = 0 ] || fail "killed $i times: $(cat err)"
	umount -l mnt
	compared=$((compared + 1))
	# everything, now and then
	[ $((i % 10)) = 9 ] || continue
	mount_yore -o refresh=0 "$work/mnt"
	diff -r tree $t || fail "after $((i + 1)) kills"
	yore umount mnt
done
exactly $compared "$kills" kills
status=$(yore cache status --json)
hits=$(jq .hits <<<"$status")
echo "$compared kills; $hits hits, $(jq .misses <<<"$status") misses," \
	"$(jq .bytes <<<"$status") bytes cached"
[ "$hits" -gt $((kills * 3)) ] || fail "the cache was hardly read: $hits hits"
at_most "$(jq .bytes <<<"$status")" $((12 * 1048576 * 102 / 100)) 'bytes cached'
[ ! -e "$HOME/.cache/yore/ledger.damaged" ] || fail 'a kill damaged the ledger'
# and what it holds by now is enough to go on with nothing else
yore cache limit 100M
yore prefetch -q h/t
yore prefetch -q --offline h/t
