#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Objects of others in a bucket: times, folders, odd names, metadata.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

objects() {
	"$top_builddir/tests/s3/objects" "s3://$s3_bucket/p" "$@"
}
put() {
	exactly "$(status_of PUT "/p/$1" --data-binary "$2" "${@:3}")" 200 "$1"
}
# the second of each time is between these two
between() {
	awk -v a="$1" -v b="$2" '$1 + 1 < a || $1 > b + 1 { print; exit 1 }' "$3"
}

look() {
	local before after
	before=$(date +%s)
	put .dot/a 1
	put a/b/c 22
	put a/b/d 333
	put 'a%20b%2B%C3%A4' 4444 -H 'x-amz-meta-litestream-timestamp: 2026-11-20T10:32:15.123456789Z'
	put a0 55555
	after=$(date +%s)

	objects list >list
	cut -d' ' -f2- list >names
	printf '%s\n' '1 .dot/a' '4 a b+ä' '2 a/b/c' '3 a/b/d' '5 a0' >expected
	same names expected
	between "$before" "$after" list || fail "times: $(cat list)"
	exactly "$(objects list a/ a/b/c | cut -d' ' -f3)" a/b/d 'after a/b/c'

	exactly "$(objects folder | cut -d' ' -f3- | paste -sd,)" \
		'.dot/,a b+ä,a/,a0' 'folder'
	exactly "$(objects folder a/)" '- 0 a/b/' 'folder a/'
	! objects metadata none litestream-timestamp 2>err || fail 'none is there'
	[ "${1-}" = metadata ] || return 0
	exactly "$(objects metadata 'a b+ä' litestream-timestamp)" \
		2026-11-20T10:32:15.123456789Z metadata
	! objects metadata a0 litestream-timestamp 2>err || fail 'a0 has metadata'
	says err 'a0 has no x-amz-meta-litestream-timestamp'
}

start_server page=2
look
[ -n "$(command -v radosgw)" ] || { echo 'not tried: radosgw'; exit 0; }
start_ceph
look metadata
