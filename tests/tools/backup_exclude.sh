#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What backup leaves out.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

make_repository
mkdir -p src/{build,docs,cache,private}
for f in main.c main.o build/x docs/a.tmp docs/b cache/c private/p; do
	echo "$f" >"src/$f"
done
head -c 20000 /dev/zero >src/big
printf 'Signature: 8a477f597d28d172789f06886806bc55\n' >src/cache/CACHEDIR.TAG
touch src/private/.nobackup
echo '*.tmp' >src/docs/.yoreignore

# holds SOURCE NAMES...: the files of its latest snapshot
holds() {
	local source=$1
	shift
	yore find -type f "h/$source" | tr '\n' ' ' >out
	[ "$(cat out)" = "$* " ] || fail "$source holds $(cat out)"
}
printf '# objects\n*.o\n' >patterns
yore backup -q --host h --source x -e /build --exclude-file patterns \
	--exclude-caches --exclude-if-present .nobackup \
	--exclude-larger-than 10k src
holds x cache/CACHEDIR.TAG docs/.yoreignore docs/b main.c private/.nobackup
yore backup -q --host h --source all --exclude-per-directory '' src
[ "$(yore find -type f h/all | wc -l)" = 11 ]
