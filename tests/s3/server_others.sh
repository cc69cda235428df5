#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The test server fails exactly as it is told to: PUTs and listings.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_server page=3
echo content >object
for key in l/{1..5}; do
	exactly "$(status_of PUT /$key -T object)" 200 "PUT $key"
done
list='/?list-type=2&prefix=l%2F'

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
