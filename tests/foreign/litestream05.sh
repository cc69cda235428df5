# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # top_srcdir comes from lib.sh
#
# Sourced by litestream05_*.sh:
#
#   replica VERSION DIRECTORY     what litestream wrote, with its times
#   compare MOUNT NAME VERSION    every moment in a mount is what litestream's
#                                 own restore makes of it; sqlite3 opens it

given=$top_srcdir/tests/foreign/litestream05

replica() {
	local path mtime size
	mkdir -p "$2"
	cp -r "$given/$1/replica/." "$2"
	chmod -R u+w "$2"
	while IFS=$'\t' read -r path mtime size; do
		[ -n "$size" ] && touch -d "@$mtime" "$2/$path"
	done <"$given/$1/mtimes.tsv"
}

compare() {
	local source=$1/sources/litestream/$2 file=${2#*-} n=0 point id sum
	for point in "$source"/generations/*/points/*/*; do
		id=$(getfattr --only-values -n user.yore.id "$point")
		sum=$(awk -v id="$id" '$1 == id { print $2 }' \
			"$given/$3/expected-txid.tsv")
		[ "$(sha256sum <"$point/$file.raw")" = "$sum  -" ] ||
			fail "$2: $id is not what litestream restores"
		[ "$(sqlite3 "$point/$file" 'pragma integrity_check')" = ok ] ||
			fail "$2: $id cannot be opened"
		n=$((n + 1))
	done
	[ $n = "$(wc -l <"$given/$3/expected-txid.tsv")" ] ||
		fail "$2 has $n moments"
}
