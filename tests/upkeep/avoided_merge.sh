#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Merging segments keeps, of two places of a chunk, the one that is not
# condemned; packs without a segment are not adopted when they are.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/upkeep/gc.sh"

make_repository
# its segment comes before that of the other, which has more
mkdir tree
head -c 300000 /dev/urandom >tree/first
back_up
packs >old
# shellcheck disable=SC2046 # names of objects
state condemn $(cat old)
make_tree
source=other back_up
mkdir more
for i in {1..12}; do
	head -c 1000 /dev/urandom >more/$i
	yore backup -q --host h --source more more
done
ls repo/idx/1-* >/dev/null || fail 'no segments were merged'
source=third back_up
[ "$(said new_bytes)" = 0 ] || fail 'merging lost the better place'
refers_to_none "$(records h/third)" old

# what a killed run left would be adopted, but for this
rm repo/idx/*
packs >old
back_up --dry-run
source=fourth back_up --dry-run
[ "$(said new_bytes)" = 0 ] || fail 'packs without a segment are not adopted'
# shellcheck disable=SC2046
state condemn $(cat old)
source=fourth back_up
refers_to_none "$(records h/fourth)" old
