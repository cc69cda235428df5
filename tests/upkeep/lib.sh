# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by the tests of keeping a repository, after tests/lib.sh:
#
#   days N [SOURCE] [TAG]    N backups a day apart, the last on 2026-11-20, each
#                            with its number in tree/f
#   kept [SOURCE]            numbers in the f of its snapshots, oldest first
#   records                  names and sums of all below snap/

days() {
	local i n=$1 source=${2-t} tag=${3-}
	mkdir -p tree
	for ((i = 1; i <= n; i++)); do
		echo "$i" >tree/f
		yore backup -q --host h --source "$source" ${tag:+--tag "$tag$i"} \
			--time "@$((1795176000 - (n - i) * 86400))" tree
	done
}

kept() {
	local source=h/${1-t}
	yore snapshots --json "$source" |
		sed -n "s,.*\"snapshot\":\"\([^\"]*\)\".*,$source@\1:f,p" |
		xargs -r yore cat | xargs
}

# What the catalogs that count name, and what is below snap/, is the same.
catalogs_fit() {
	local named there
	named=$("$top_builddir/tests/upkeep/catalogued" "$YORE_REPOSITORY")
	there=$(find "$YORE_REPOSITORY/snap" -type f | sed 's/.*-//' | sort)
	[ "$named" = "$there" ] ||
		fail "catalogs name $(wc -l <<<"$named"), there are" \
			"$(wc -l <<<"$there")"
}

records() {
	(cd "$YORE_REPOSITORY" && find snap -type f -exec sha256sum {} + | sort)
}
