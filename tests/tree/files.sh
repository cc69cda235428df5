#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Files have a licence line and are built; files and functions stay small.
. "${top_srcdir:-.}/tests/tree/tree.sh"

for file in $(sources c h sh mk py) configure.ac Makefile.am m4/*.m4; do
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' ||
		complain "$file: no SPDX-License-Identifier in its first lines"
	lines=$(wc -l <"$file")
	[ "$lines" -le 600 ] || complain "$file: $lines lines, 600 are allowed"
done

# A file that no local.mk names would be missing from releases.
named=$(cat Makefile.am repo/local.mk repo/*/local.mk repo/*/*/local.mk fs/local.mk \
	tools/local.mk tests/*/local.mk | tr -s '\\ \t=' '\n')
for file in $(sources c h sh py); do
	grep -qxF -e "$file" -e "${file%.c}" <<<"$named" ||
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
