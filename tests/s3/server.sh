#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The test server fails exactly as it is told to.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_server page=3
head -c 10000 /dev/urandom >object
for key in object l/{1..5}; do
	exactly "$(status_of PUT /$key -T object)" 200 "PUT $key"
done
same object bucket/object
list='/?list-type=2&prefix=l%2F'

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

# writing
server fault PUT new 1 lost
exactly "$(status_of PUT /new -T object)" 200 'a lost PUT'
exactly "$(status_of GET /new)" 404 'what was lost'
server fault PUT new 1 unheard # (but for "100 Continue")
exactly "$(status_of PUT /new -T object)" 100 'a PUT without an answer'
exactly "$(status_of GET /new)" 200 'what was stored'
server set clock=3600
exactly "$(status_of GET /new)" 403 'a wrong clock'
says body RequestTimeTooSkewed
server set clock=0

# listing: "KEYS TRUNCATED"
page() {
	status_of GET "$list" >/dev/null
	echo "$(grep -o '<Key>l/[0-9]' body | tr -dc 0-9)" \
		"$(grep -o '<IsTruncated>[a-z]*' body | sed 's/.*>//')"
}
exactly "$(page)" '123 true' 'a page'
for wanted in 'part:1 false' 'twice:112233 true' 'unordered:321 true'; do
	server "fault LIST l/ 1 ${wanted%:*}"
	exactly "$(page)" "${wanted#*:}" "${wanted%:*}"
done
server fault LIST l/ 1 stale
exactly "$(status_of PUT /l/0 -T object)" 200 PUT
exactly "$(page)" '123 true' stale
exactly "$(page)" '012 true' 'no more stale'
