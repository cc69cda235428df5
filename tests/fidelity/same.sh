# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by the tests of fidelity: two trees are the same.

. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/fidelity/tree.sh"

# listing_of DIR [restored]: see listing.py
listing_of() {
	python3 "$top_srcdir/tests/fidelity/listing.py" "$@"
}

# same_listing A B [restored]: same names, attributes, links, holes.
same_listing() {
	listing_of "$1" "${@:3}" >"$work/listing.a"
	listing_of "$2" "${@:3}" >"$work/listing.b"
	cmp -s "$work/listing.a" "$work/listing.b" && return
	diff "$work/listing.a" "$work/listing.b" |
		sed -n '1,20s/^\(.\{,300\}\).*/\1/p' >&2 || :
	fail "$1 and $2 are not the same"
}

# same_content A B: rsync finds nothing to do, in either direction of -n.
same_content() {
	local said status=0
	said=$(rsync -aHAXSn --numeric-ids --checksum --delete \
		--itemize-changes --exclude=/huge "$1/" "$2/" 2>&1) || status=$?
	[ $status = 0 ] && [ -z "$said" ] ||
		fail "rsync of $1 and $2 ($status): ${said:0:1000}"
}

# same_archive A B: tar writes the same bytes (other than of big holes).
same_archive() {
	archive_of "$1" >"$work/sum.a"
	archive_of "$2" >"$work/sum.b"
	cmp -s "$work/sum.a" "$work/sum.b" || fail "tar of $1 and $2 differ"
}

# Patterns that are not anchored cost tar minutes in a path of 1,000 parts.
archive_of() {
	tar -C "$1" -c --sort=name --warning=no-file-ignored --anchored \
		--no-wildcards --exclude=./huge --exclude=./holes/sparse . |
		sha256sum
}

# same_usage A B
same_usage() {
	local a b
	a=$(du -s "$1" | cut -f1; du -s --apparent-size "$1" | cut -f1)
	b=$(du -s "$2" | cut -f1; du -s --apparent-size "$2" | cut -f1)
	[ "$a" = "$b" ] || fail "du: $a is not $b"
}
