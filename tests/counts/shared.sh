#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What many readers want at once, or many snapshots have, is fetched once; and
# the memory that takes stays within what was allowed.
. "${top_srcdir:-.}/tests/counts/counts.sh" || exit 1

make_repository
mkdir -p tree/small tree/large
for i in {1..64}; do head -c 3000 /dev/urandom >tree/small/$i; done
head -c 3000000 /dev/urandom >tree/content
for i in {1..20}; do
	head -c 4000000 /dev/urandom >tree/large/$i
done
for i in {1..20}; do
	echo $i >tree/changes
	yore backup -q --host h --source tree --time @$((1600000000 + i)) tree
done

# 64 readers of 64 files in one frame
remount refresh=0,nostore
ls -l mnt/latest/h/tree/small >/dev/null
unsealed=$(metric yore_frames_unsealed_total)
parallel() {
	find mnt/latest/h/tree/small -type f -print0 | xargs -0 -P64 -n1 cat
}
cost parallel
exactly "$g" 1 'GETs of one frame for 64 readers'
exactly $(($(metric yore_frames_unsealed_total) - unsealed)) 1 'unsealings'

# the same content in 20 snapshots
remount
ls -l mnt/sources/h/tree/snapshots/*/ >/dev/null
cost md5sum mnt/sources/h/tree/snapshots/*/content
at_most "$b" 3001000 'bytes for one file in 20 snapshots'

# 64 MiB are enough to read everything
remount refresh=0,memory=24M
cost sh -c 'tar -cf - -C mnt/latest/h/tree . | cat'
at_most "$(peak)" 65536 'KiB of memory'
