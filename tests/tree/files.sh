#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Files have a licence line, are built and lie where they belong; files and
# functions stay small.
. "${top_srcdir:-.}/tests/tree/tree.sh"

# prints "FILE LINES LICENCES", these in its first three lines
count='FNR <= 3 && /SPDX-License-Identifier: GPL-2.0-or-later/ {
		licences[FILENAME]++
	}
	{ lines[FILENAME]++ }
	END {
		for (i = 1; i < ARGC; i++)
			print ARGV[i], lines[ARGV[i]] + 0, licences[ARGV[i]] + 0
	}'
while read -r file lines licences; do
	[ "$licences" -gt 0 ] ||
		complain "$file: no SPDX-License-Identifier in its first lines"
	[ "$lines" -le 600 ] || complain "$file: $lines lines, 600 are allowed"
done < <({ sources c h sh mk py; ls configure.ac Makefile.am m4/*.m4; } |
	xargs awk "$count")

# What an experiment left at the top is not committed; a release has no .git.
tops='.ci .clang-format .clang-tidy .gitattributes .gitignore COPYING HACKING
	Makefile.am README configure.ac fs m4 repo tests tools'
for file in $(git ls-files 2>/dev/null | cut -d / -f 1 | sort -u); do
	[[ " ${tops//[$'\n\t']/ } " == *" $file "* ]] ||
		complain "$file: does not belong at the top"
done

# A file that no local.mk names would be missing from releases.
named=$(cat Makefile.am repo/local.mk repo/*/local.mk repo/*/*/local.mk fs/local.mk \
	tools/local.mk tests/*/local.mk | tr -s '\\ \t=' '\n')
declare -A is_named
for file in $named; do
	is_named[$file]=1
done
for file in $(sources c h sh py); do
	[ -n "${is_named[$file]-}${is_named[${file%.c}]-}" ] ||
		complain "$file: no local.mk names it"
done

if ! command -v ctags >/dev/null; then
	echo 'ctags not found: apt-get install universal-ctags'
	[ $status = 0 ] && exit 77
	exit $status
fi
# One line a function: its length and name.
functions() {
	sources c h | ctags -L - --fields=+ne -o - --kinds-C=f |
		sed -nE 's/^([^\t]*)\t([^\t]*)\t.*\tline:([0-9]+).*\tend:([0-9]+).*/\2 \1 \3 \4/p' |
		awk '{ print $4 - $3 + 1, $1 ": " $2 }'
}
while read -r lines where; do
	[ "$lines" -le 100 ] ||
		complain "$where has $lines lines, 100 are allowed"
done < <(functions)
exit $status
