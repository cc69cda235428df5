#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# README's map names every folder, and everything it names exists.
. "${top_srcdir:-.}/tests/tree/tree.sh"

# The map is the block of indented lines under "## Map of the code"; the first
# words of a line, up to two spaces, are paths.
map=$(sed -n '/^## Map of the code$/,/^## /{s/^    //p}' README)
paths=$(sed -E 's/  .*//' <<<"$map" | tr ' ' '\n' | sed 's,/$,,' | grep .)
[ -n "$paths" ] || complain 'README: no map of the code'

for path in $paths; do
	[ -e "$path" ] || complain "README: the map names $path"
done
for dir in $(sources c h sh py | xargs -n1 dirname | LC_ALL=C sort -u); do
	grep -qxF "$dir" <<<"$paths" || complain "README: the map lacks $dir/"
done
exit $status
