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

# Print "SOURCE OBJECT" of what was compiled from sources that still exist.
objects() {
	local source dir stem object
	for source in $(sources c | grep -v ^tests/); do
		dir=${source%/*} stem=${source##*/} stem=${stem%.c}
		for object in "$top_builddir/$dir/"{,*-}"$stem.o"; do
			[ -f "$object" ] && echo "$source $object"
		done
	done
}

# Extended regular expression of what names in a source may begin with.
prefixes() {
	local dir=${1%/*} stem=${1##*/} structs
	structs=$(sed -nE 's/^(struct|enum|union) ([a-z0-9_]+).*/\2/p' \
		"$dir"/*.h | sort -u | paste -sd'|')
	echo "^(${stem%.c}|${dir##*/}${structs:+|$structs})(_|\$)"
}

seen=0
while read -r source object; do
	prefix=$(prefixes "$source")
	for name in $(nm -g --defined-only "$object" |
		awk 'NF == 3 && $3 !~ /^(_|main$)/ { print $3 }'); do
		seen=$((seen + 1))
		[[ $name =~ $prefix ]] || excepted "$source" "$name" ||
			complain "$source: exports $name"
	done
done < <(objects)

[ $seen -gt 0 ] || { echo 'no objects to look at'; exit 77; }
exit $status
