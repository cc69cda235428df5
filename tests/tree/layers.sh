#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may include whom: an arrow in this table is a layer of README's map.
. "${top_srcdir:-.}/tests/tree/tree.sh"

seam='repo/[a-z]+\.h'
door='repo/(address|history|view|when|open|unlock|versions/versions)\.h'
base='repo/base/'
codec="$base|repo/(format|crypto)/"

# The included paths that a file may name.
allowed() {
	case $1 in
	repo/base/*) echo "$base" ;;
	repo/format/* | repo/crypto/*) echo "$codec" ;;
	repo/store/*) echo "$base|repo/crypto/|repo/store/" ;;
	repo/cache/*) echo "$codec|repo/cache/" ;;
	repo/fetch/*) echo "$codec|repo/(store|cache|fetch)/" ;;
	repo/sqlite/*) echo "$base|$seam|repo/sqlite/" ;;
	repo/native/*) echo "$codec|$seam|repo/(store|fetch|sqlite|native)/" ;;
	repo/foreign/*) echo "$codec|$seam|repo/(store|cache|fetch|sqlite|foreign)/" ;;
	repo/versions/*) echo "$base|$seam|repo/fetch/together\\.h|repo/versions/" ;;
	repo/write/*) echo "$codec|$seam|repo/(store|fetch|sqlite|native|write)/" ;;
	repo/upkeep/*) echo "$codec|$seam|repo/(store|fetch|sqlite|native|write|upkeep)/" ;;
	repo/open.c) echo "$base|$seam|repo/(native/open|foreign/foreign)\\.h" ;;
	repo/unlock.*) echo "$base|$seam|repo/crypto/slot\.h" ;;
	repo/*) echo "$base|$seam" ;;
	fs/*) echo "$base|$door|fs/" ;;
	tools/*) echo "repo/|tools/" ;;
	tests/*) echo "repo/|fs/|tools/|tests/" ;;
	*) echo 'nothing' ;;
	esac
}

while read -r file included; do
	case $included in
	'<'*) continue ;;
	esac
	[[ $included =~ ^($(allowed "$file")) ]] ||
		complain "$file: must not include $included"
	[ -f "$included" ] ||
		complain "$file: $included is not a path from the top"
done < <(includes)

# The mount links nothing that can write a repository.
if [ -x "$top_builddir/yorefs" ]; then
	writing=$(nm --defined-only -g "$top_builddir/libyorewrite.a" \
		2>/dev/null | awk 'NF == 3 && $2 ~ /[TDB]/ { print $3 }' |
		LC_ALL=C sort -u)
	linked=$(nm --defined-only -g "$top_builddir/yorefs" |
		awk 'NF == 3 { print $3 }' | LC_ALL=C sort -u)
	for name in $(LC_ALL=C comm -12 <(echo "$writing") <(echo "$linked"))
	do
		complain "yorefs: holds $name of libyorewrite.a"
	done
fi
exit $status
