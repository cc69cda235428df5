#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An exported name begins with its file's name, with its folder's, or with the
# name of a struct in a header of that folder: who reads a call knows where to
# look.  tests/tree/names.exceptions lists the others.
. "${top_srcdir:-.}/tests/tree/tree.sh"

# Whether tests/tree/names.exceptions has a line for this file and name.
excepted() {
	local file pattern
	while read -r file pattern; do
		# shellcheck disable=SC2053 # a pattern is meant
		[[ $1 == "$file" && $2 == $pattern ]] && return
	done <tests/tree/names.exceptions
	return 1
}

# Fill source_of with what was compiled from sources that still exist.
declare -A source_of
find_objects() {
	local source dir stem object
	for source in $(sources c | grep -v ^tests/); do
		dir=${source%/*} stem=${source##*/} stem=${stem%.c}
		for object in "$top_builddir/$dir/"{,*-}"$stem.o"; do
			[ ! -f "$object" ] || source_of[$object]=$source
		done
	done
}

# The structs in the headers of each folder: "|a|b".
declare -A structs
find_structs() {
	local dir name
	while read -r dir name; do
		structs[$dir]+="|$name"
	done < <(sources h | xargs grep -E '^(struct|enum|union) [a-z0-9_]+' |
		sed -nE 's,^(.*)/[^/]*:(struct|enum|union) ([a-z0-9_]+).*,\1 \3,p' |
		sort -u)
}

find_objects
find_structs
seen=0
while read -r object name; do
	source=${source_of[$object]} dir=${source%/*} stem=${source##*/}
	prefix="^(${stem%.c}|${dir##*/}${structs[$dir]-})(_|\$)"
	seen=$((seen + 1))
	[[ $name =~ $prefix ]] || excepted "$source" "$name" ||
		complain "$source: exports $name"
done < <(nm -A -g --defined-only "${!source_of[@]}" |
	sed -nE 's/^(.*):[^:]* . ([^_].*)$/\1 \2/p' | grep -v ' main$' | sort)

[ $seen -gt 0 ] || { echo 'no objects to look at'; exit 77; }
exit $status
