#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Versions of a path cost pages where something on the way to it was created or
# removed, not where files beside it were only written; the kernel is told
# everything in a listing and asks for nothing else.
. "${top_srcdir:-.}/tests/counts/counts.sh" || exit 1

make_repository
mkdir -p tree/quiet/deep tree/busy
echo content >tree/quiet/deep/file
for i in {1..64}; do
	echo "$i" >tree/counter
	echo "$i" >"tree/busy/$i"
	: >"tree/new$i"
	case $i in 20 | 40) echo "$i" >>tree/quiet/deep/file ;; esac
	yore backup -q --host h --source t --time @$((1600000000 + 60 * i)) tree
done
versions=mnt/sources/h/t/versions
remount
cost ls "$versions/quiet/deep/file"
at_most "$g" 36 'GETs of 3 versions in 64 snapshots'
exactly "$(ls $versions/quiet/deep/file | wc -l)" 3 versions
cost ls "$versions/quiet/deep"
at_most "$g" 4 'GETs of names in a directory that had no others'
cost ls "$versions/busy"
at_most "$g" 130 'GETs of names in a directory that had others each time'
cost ls "$versions/busy/64" "$versions/busy/1" "$versions/counter"
at_most "$g" 2 'GETs of others, once all snapshots were looked at'
exactly "$(ls $versions/counter | wc -l)" 64 'versions of what changed always'

# a listing is all that is asked, and the second time nothing
remount
cost ls -l "$versions/counter"
at_most "$o" 20 'requests of ls -l'
cost ls -l "$versions/counter"
at_most "$o" 12 'requests of the second'
exactly "$g" 0 'GETs of the second'
before=$(resident)
for i in {1..64}; do ls "$versions/busy/$i" >/dev/null; done
at_most $(($(resident) - before)) 8192 'KiB more after looking at 64 files'
