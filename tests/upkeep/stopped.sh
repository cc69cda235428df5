#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A backup that stands still while packs that it refers to are sentenced and
# deleted fails in one line and leaves no snapshot; the next one goes through.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/upkeep/gc.sh"

# as prune would, from condemned to deleted, and to forgotten, in the meantime
cat >pruned <<EOF
$states put repo \$(sed 's/^/condemn /' victims)
$states put repo \$(sed 's/^/sentence /' victims)
(cd repo && xargs rm -f) <victims
EOF
cat pruned - >forgotten <<EOF
$states put repo \$(sed 's/^/drop /' victims)
(cd repo/gc && ls | sed 1d | xargs rm)
EOF
# packs that nobody but the backup under way knows
{ echo '(cd repo && find data meta -type f) | grep -vxFf known >victims'; cat pruned; } >own

make_repository
make_tree
back_up
for when in begun before after; do
	for how in pruned forgotten own; do
		head -c 500000 /dev/urandom >tree/sub/new
		packs >known
		refs "$(newest)" | grep data/ >victims
		[ $when-$how != begun-own ] || continue
		stands_still $when $how
		refused "$when $how"
	done
done

# what it does not refer to may go, and what it does may be condemned
head -c 500000 /dev/urandom >tree/sub/gone
packs >known
back_up
packs | grep data/ | grep -vxFf known >victims
rm tree/sub/gone
for when in begun before after; do
	head -c 500000 /dev/urandom >tree/sub/new
	stands_still $when pruned
	passed "$when, something else"
	echo "$states put repo \$(cd repo; find data -type f | sed 's/^/condemn /')" >condemn
	stands_still $when condemn
	passed "$when, condemned"
done
