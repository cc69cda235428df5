#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The test server fails exactly as it is told to: GETs.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_server
head -c 10000 /dev/urandom >object
exactly "$(status_of PUT /object -T object)" 200 PUT
same object bucket/object

# becomes KIND WANTED [CURL ARGUMENTS]: status, curl's exit status and bytes of
# the second GET; the first and the third are as ever.
becomes() {
	local kind=$1 wanted=$2 got=0 i
	shift 2
	server "fault GET obj* 2 $kind"
	for i in 1 2 3; do
		: >body
		got=$(curl -s -o body -w '%{http_code}' "$@" \
			--aws-sigv4 "aws:amz:$s3_region:s3" --user "${s3_rw/ /:}" \
			-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
			"$s3_endpoint/yore/object") && got+=' 0' || got+=" $?"
		got+=" $(stat -c %s body)"
		if [ $i = 2 ]; then
			exactly "$got" "$wanted" "$kind"
		elif [ $# = 0 ]; then
			exactly "$got" '200 0 10000' "$kind, $i"
			same body object
		fi
	done
	server clear
}
range='-r 100-199'
becomes reset '000 56 0'
becomes reset=4000 '200 56 4000'
becomes close '000 52 0'
becomes stall '000 28 0' -m 1
becomes stall=5000 '200 28 5000' -m 1
becomes truncated '200 18 5000'
becomes garbage '000 1 0'
becomes chunked '200 0 10000'
becomes flip '200 0 10000'
becomes error '200 0 144'
becomes 404 '404 0 140'
# shellcheck disable=SC2086 # words
{
	becomes whole '200 0 10000' $range
	becomes shorter '206 0 50' $range
	becomes longer '206 0 108' $range
	becomes beside '206 0 100' $range
	becomes mute '206 0 100' $range
}
since | awk '$9 != "-" { print $9 }' >kinds
exactly "$(sort -u kinds | wc -l)" 16 'kinds in the log'

server fault GET 'object' 2x3 503
statuses=
for _ in {1..6}; do statuses+=" $(status_of GET /object)"; done
exactly "$statuses" ' 200 503 503 503 200 200' 'a burst'
exactly "$(server faults)" '6 3 GET object 2x3 503' 'what rules did'
server clear
