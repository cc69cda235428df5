#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Listings that are short, stale, doubled, out of order or wrong about sizes, below
# each folder: check calls nothing lost that is there, and nothing whole that is
# not, without saying that the listing is wrong (lying.c).
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1

lying=$top_builddir/tests/upkeep/lying
golden=$top_builddir/tests/golden
export YORE_REPOSITORY=$work/repo
"$golden/databases" repo
for i in 1 2 3; do change src "$i" && backup src s; done
yore check -q
cp -r repo good

# tell HOW: what lying says; each copy anew, as if nobody had seen it before
tell() {
	rm -rf home && mkdir home
	"$lying" "$1" repo >out || { cat out; fail "$2"; }
	tail -n 1 out
}
tell whole 'of a whole one'
again() { rm -rf repo && cp -r good repo; }
for what in 'data/*/*' 'meta/*/*' 'db/*/000000000001/*'; do
	# shellcheck disable=SC2086 # a pattern
	damaged=$(cd good && ls -S $what | sed -n 2p)
	again && rm "repo/$damaged"
	tell hurt "$damaged is gone"
done
# the record of a snapshot that a catalog names
again && rm "$(find repo/snap -name '*000002-2023*' | head -n 1)"
tell hurt 'a record is gone'
