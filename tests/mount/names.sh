#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every virtual directory lists what it can resolve, and resolves what it lists.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

start points=10
cd "$mnt" || exit 1
s=sources/web1/home

is 'at by-id latest sources tags' "$(ls | xargs)" 'the root'
is 'log metrics metrics.json status version' "$(ls .yore | xargs)" '.yore'
is 'web1 web2' "$(ls sources | xargs)" sources
is 'etc home' "$(ls sources/web1 | xargs)" sources/web1
is 'at generations latest snapshots versions' "$(ls $s | xargs)" 'a source'
is 10 "$(ls $s/snapshots | wc -l)" snapshots
is snapshots/2026-01-01T10-00-00Z "$(readlink $s/latest)" latest
is '2026-01-01T01-00-00Z 2026-01-01T06-00-00Z' \
	"$(ls $s/generations | xargs)" generations
is 00007 "$(cat $s/generations/*06-00-00Z/snapshots/*T07-00-00Z/point)" \
	'a snapshot of a generation'
is 5 "$(ls $s/generations/2026-01-01T01-00-00Z/snapshots | wc -l)" \
	'snapshots of a generation'
is 'etc home' "$(ls latest/web1 | xargs)" latest/web1
is 00010 "$(cat latest/web2/home/point)" 'the newest'
is 'a%2Fb even' "$(ls tags | xargs)" tags
is '2026-01-01T03-00-00Z latest' "$(ls tags/a%2Fb/web1/etc | xargs)" 'a tag'
is 2026-01-01T03-00-00Z "$(readlink tags/a%2Fb/web1/etc/latest)" \
	'the newest with a tag'
is 00010 "$(cat tags/even/web2/home/latest/point)" 'the newest even one'
is 30 "$(ls by-id | wc -l)" by-id
is 00004 "$(cat by-id/0000000200000004/point)" 'an id'
is 00004 "$(cat by-id/00000002????0004/point)" 'an id among those listed'

for absent in x sources/x sources/web1/x $s/x $s/snapshots/x tags/a \
	tags/a%2fb tags/even/x tags/a%2Fb/web1/etc/2026-01-01T04-00-00Z \
	by-id/x by-id/00000002 latest/x $s/generations/2026-01-01T02-00-00Z \
	$s/generations/2026-01-01T06-00-00Z/snapshots/2026-01-01T05-00-00Z
do
	[ ! -e "$absent" ] || fail "$absent exists"
done

# everything that is listed can be opened, from the top into the trees
find . -maxdepth 8 -name broken -prune -o -print >"$scratch/all" ||
	fail 'find complains'
is 114 "$(grep -c '/point$' "$scratch/all")" 'trees'
is "$(ls sources)" "$(ls sources/)" 'a directory read twice'
cd / && stop
