#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One door per library: the only places that know a library's interface.
. "${top_srcdir:-.}/tests/tree/tree.sh"

# The files that may include this system header; "*" for any.
doors() {
	case $1 in
	'<fuse'*) echo 'fs/*' ;;
	'<curl/'*) echo 'repo/store/http*' ;;
	'<openssl/'*) echo 'repo/crypto/openssl.h' ;;
	'<zstd'*) echo 'repo/base/zstd.h' ;;
	'<zlib'*) echo 'repo/foreign/gzip.c' ;;
	'<sqlite3'*) echo 'repo/base/sqlite.h' ;;
	'<expat'*) echo 'repo/store/s3_xml.c' ;;
	'<jansson'*) echo 'repo/base/jansson.h' ;;
	'<lz4'*) echo 'repo/foreign/lz4.c' ;;
	'<cmocka'*) echo 'tests/*' ;;
	*) echo '*' ;;
	esac
}

set -f
while read -r file included; do
	case $file in
	tests/*) continue ;;
	esac
	known=false
	for pattern in $(doors "$included"); do
		# shellcheck disable=SC2053 # a pattern is meant
		[[ $file == $pattern ]] && known=true
	done
	$known || complain "$file: $included is for $(doors "$included")"
done < <(includes)
exit $status
