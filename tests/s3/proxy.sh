#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the proxy promises: counts, delays, bandwidth, accidents, outages.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_server
head -c 1000000 /dev/urandom >"$work/bucket/object"
kill "${servers[0]}" && wait "${servers[0]}" 2>/dev/null || :
servers=()
start_server
start_proxy seed=1
url=$s3_endpoint/$s3_bucket/object

# get CURL ARGUMENTS...: sets ms and status (of the last)
get() {
	local start=${EPOCHREALTIME/./}
	status=$(status_of GET /object "$@")
	ms=$(((${EPOCHREALTIME/./} - start) / 1000))
}

# requests are counted, also those that share a connection
mark
python3 "$s3/pipeline.py" 50
exactly "$(asked)" 50 'requests of a pipeline'
exactly "$(asked GET object)" 50 'GETs of the object'
exactly "$(since | awk '{ print $3 }' | sort -u | wc -l)" 1 'connections'
exactly "$(since | awk '{ n += $7 } END { print n }')" 5000 'bytes'
exactly "$(since | awk '$8 == "bytes=100-199"' | wc -l)" 1 'GETs of a range'

# a delay is that of a round trip, whatever else is under way
proxy set delay=200
mark
get
[ $ms -ge 200 ] && [ $ms -lt 3000 ] || fail "delayed by $ms ms"
start=${EPOCHREALTIME/./}
python3 "$s3/pipeline.py" 50
ms=$(((${EPOCHREALTIME/./} - start) / 1000))
[ $ms -ge 200 ] && [ $ms -lt 3000 ] || fail "50 in a pipeline took $ms ms"
[ "$(most_in_flight)" -ge 40 ] || fail "$(most_in_flight) in flight"
proxy set delay=0

# 1 MB at 40 Mbit/s takes 200 ms
for setting in each rate; do
	proxy "set $setting=40"
	get
	[ $ms -ge 195 ] && [ $ms -lt 3000 ] || fail "$setting: $ms ms"
	cmp body bucket/object
	proxy "set $setting=0"
done

# accidents, and what the log says of them
proxy set busy=1
get
exactly "$status" 503 'busy'
exactly "$(since | awk '$9 == "busy"' | wc -l)" 1 'busy answers'
proxy set busy=0 reset=1
get
[ "$(stat -c %s body)" -lt 1000000 ] || fail 'not reset'
proxy set reset=0 stall=1
get -m 0.3
[ $ms -ge 300 ] || fail 'not stalled'
proxy set stall=0

# an outage; connections that were there go on when it is over
proxy hole
get -m 0.3
exactly "$status" 000 'status in a hole'
curl -s -o late --aws-sigv4 "aws:amz:$s3_region:s3" -H \
	'x-amz-content-sha256: UNSIGNED-PAYLOAD' --user "${s3_rw/ /:}" "$url" &
sleep 0.2
proxy normal
wait $!
cmp late bucket/object
proxy refuse
get
exactly "$status" 000 'status when refused'
proxy normal
get
exactly "$status" 200 'status again'
cmp body bucket/object
