#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# at/ resolves every form of a time and lists none.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

export TZ=UTC
start points=10
cd "$mnt" || exit 1

at() {
	is "$2" "$(cat "at/$1/web1/home/point")" "at/$1"
	is "$2" "$(cat "sources/web1/home/at/$1/point")" "at/$1 of the source"
}

at 2026-01-01T04-00-00Z 00004
at 2026-01-01T04-30-00Z 00004
at 2026-01-01T04:59:59Z 00004
at 2026-01-01T05:00:00+01:00 00004
at 2026-01-01 00010
at @1767240000 00004
at @1767239999.5 00003
at now 00010
at yesterday 00010
at 2h 00010
at 2h-ago 00010
at "$(date +%H:%M)" 00010

is '' "$(ls at)" 'at/ lists'
is '' "$(ls sources/web1/home/at)" 'at/ of a source lists'
is 'web1 web2' "$(ls at/now | xargs)" 'hosts at a moment'
is '' "$(ls at/1999-01-01)" 'hosts before the first snapshot'
[ ! -e sources/web1/home/at/1999-01-01 ] || fail 'a tree before the first'
for nonsense in latest 25:00 2026-13-01 x ' ' 2h-before @; do
	[ ! -e "at/$nonsense" ] || fail "at/$nonsense exists"
	[ ! -e "sources/web1/home/at/$nonsense" ] ||
		fail "at/$nonsense of the source exists"
done

# a tree seen at two paths is the same tree
is "$(stat -c %i at/2026-01-01T04:00:00Z/web1/home/kinds/old)" \
	"$(stat -c %i sources/web1/home/snapshots/*T04-00-00Z/kinds/old)" \
	'inode numbers'
diff -r --exclude=broken --exclude=kinds at/now/web1/home latest/web1/home ||
	fail 'two paths differ'
cd / && stop
