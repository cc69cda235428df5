#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a mount tells of itself, through .yore/ and a socket, as Prometheus text
# and JSON, is what the store has seen.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_root
need_fuse

unset YORE_CACHE_DIR
start_server
export YORE_REPOSITORY=s3://yore/r
mkdir -p tree mnt
for i in {1..5}; do head -c 3000000 /dev/urandom >tree/$i; done
yore init -q --no-passphrase
yore backup -q --host h --source t tree
rm -rf "$HOME/.cache"
server 'fault GET *data* 1+ delay=200'
mark
mount_yore -o refresh=0,metrics=socket mnt
cat mnt/latest/h/t/* >/dev/null

ask() { curl -sf --max-time 10 --unix-socket socket "http://yore/$1"; }
number() { ask metrics | awk -v name="yore_$1" '$1 == name { print $2 }'; }

# both ways, both forms
exactly "$(number store_get_requests_total)" "$(asked GET)" GETs
exactly "$(number store_list_requests_total)" "$(asked LIST)" LISTs
exactly "$(number store_get_requests_total)" \
	"$(awk '$1 == "yore_store_get_requests_total" { print $2 }' mnt/.yore/metrics)" 'GETs by .yore'
for name in store_get_requests_total store_bytes_total cache_misses_total \
	read_bytes_total ahead_bytes_total; do
	exactly "$(ask metrics.json | jq ".$name")" "$(number $name)" "$name"
	[ "$(number $name)" -gt 0 ] || fail "no $name"
done
exactly "$(jq .store_bytes_total mnt/.yore/metrics.json)" "$(number store_bytes_total)" bytes

# how long requests took: those of data 0.2 s and more, none 10 s
exactly "$(number store_seconds_count)" "$(asked)" 'requests timed'
late=$(($(number store_seconds_count) - $(number 'store_seconds_bucket{le="0.1"}')))
at_most "$(asked GET data)" "$late" 'requests that took 0.2 s'
exactly "$(ask metrics.json | jq '.store.buckets | add')" "$(asked)" 'timed in JSON'
exactly "$(ask metrics.json | jq '.fuse.read | (.buckets | add) == .requests')" true \
	'READs in JSON'

# every sample has a type, histograms only grow and end with their count
ask metrics | awk '
	/^# TYPE/ { type[$3] = $4; next }
	/^#/ { next }
	{
		name = $1; sub(/\{.*/, "", name); base = name
		sub(/_(bucket|sum|count)$/, "", base)
		if (!(name in type) && type[base] != "histogram") bad = bad " " name
		if (name ~ /_bucket$/) {
			if ($1 !~ /le="0.00001"/ && $2 < last) bad = bad " " $1
			last = $2
		}
		if (name ~ /_count$/ && $2 != last) bad = bad " " $1
	}
	END { if (bad) { print bad; exit 1 } }' >wrong || fail "$(cat wrong)"

# warm: the disk cache says how often it helped
yore umount mnt
for _ in {1..100}; do [ -e socket ] || break; sleep 0.05; done
[ ! -e socket ] || fail 'the socket is left'
mount_yore -o refresh=0,metrics="$work/socket" "$work/mnt"
cat mnt/latest/h/t/* >/dev/null
[ "$(number cache_hits_total)" -gt 5 ] || fail 'no hits'
at_most 15000000 "$(number cache_read_bytes_total)" 'bytes of the cache'
exactly "$(number ahead_bytes_total)" "$(ask metrics.json | jq .ahead_bytes_total)" 'read ahead'

# it is the user's own, and answers nothing else
exactly "$(stat -c %a socket)" 600 'mode of the socket'
! ask ../etc/passwd || fail 'answered'
cat >talk.py <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect('socket')
open('connected', 'w').close()
s.sendall(sys.argv[1].encode())
print(s.recv(1000).decode().split('\r')[0])
P
exactly "$(python3 talk.py $'nonsense\n\n')" 'HTTP/1.0 404 Not Found' 'to nonsense'
# who says nothing is sent away, and the next one answered
rm connected
python3 talk.py '' >silent &
for _ in {1..200}; do [ -e connected ] || sleep 0.05; done
ask metrics >/dev/null || fail 'kept waiting'
wait $! || fail 'not sent away'

# another mount does not take it
mkdir other
run_status 1 yore mount -o metrics=socket other
one_line err
says err 'cannot listen at .*/socket: Address already in use'
! mountpoint -q other || fail 'mounted'
# but that of a mount which is gone
pid=$(daemon_of mnt)
kill -KILL "$pid"
umount -l mnt
mount_yore -o refresh=0,metrics=socket mnt
ask metrics >/dev/null || fail 'no answer'
