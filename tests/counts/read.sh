#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What names and content cost, cold and again.
. "${top_srcdir:-.}/tests/counts/counts.sh" || exit 1

make_repository
mkdir -p tree/{many,files,1/2/3/4/5/6}
head -c 100000 /dev/urandom >tree/one
head -c 67108864 /dev/urandom >tree/big
for i in {1..40}; do
	head -c 3000000 /dev/urandom >tree/files/$i
done
for d in 1 1/2 1/2/3 1/2/3/4 1/2/3/4/5 1/2/3/4/5/6; do
	for i in {1..200}; do echo "$d $i" >"tree/$d/f$i"; done
done
seq 3000 | (cd tree/many && xargs touch)
yore backup -q --host h --source tree tree
t=mnt/latest/h/tree

# the first listing of each level fetches at most its own page
remount
d=$t
for name in . 1 2 3 4 5 6; do
	d=$d/$name
	cost ls "$d"
	at_most "$g" 1 "GETs of ls $d"
	at_most "$b" 262144 "bytes of ls $d"
done

# with READDIRPLUS the kernel knows it all
ls -l "$t/many" >/dev/null
remount
cost ls -l $t/many
at_most "$o" 100 'requests of ls -l of 3,000 entries'

# the first byte: one GET, and none when it is there
remount
stat $t/one >/dev/null
cost head -c1 $t/one
exactly "$g" 1 'GETs of a first byte'
cost cat $t/one
exactly "$g" 0 'GETs of what is decoded'
cost cat $t/one
exactly "$r" 0 'READs of what is in the page cache'

# one after the other: what is fetched is used
remount
stat $t/big >/dev/null
cost cat $t/big
waste=$((b - 67108864))
at_most $waste $((67108864 / 10)) 'bytes fetched and not used'
# (a machine that is short of memory may have dropped pages meanwhile)
for _ in 1 2 3; do
	cost cat $t/big
	[ "$r" != 0 ] || break
done
exactly "$r" 0 'READs of a second reading'
remount
ls $t/files >/dev/null
cost head -qc 1M $t/files/*
at_most "$(metric yore_ahead_unread_bytes)" $((b / 4)) 'bytes read ahead in vain'
# the kernel reads on a little, and of the last frame half is not wanted
at_most "$b" $((40 * 1048576 * 8 / 5)) 'bytes for 40 heads of 1 MiB'

# at random: no more than the frame a read lies in
remount
cost python3 - $t/big <<'P'
import os, random, sys
random.seed(7)
fd = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
for _ in range(40):
    os.pread(fd, 4096, random.randrange(16000) * 4096)
P
at_most "$g" 46 'GETs of 40 random reads'
exactly "$(metric yore_ahead_frames_total)" 0 'frames read ahead of random reads'

# what lies around a short read is decoded, and goes to the page cache with it
remount
cost python3 - $t/big <<'P'
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
for at in range(40 << 20, 41 << 20, 4096):
    os.pread(fd, 4096, at)
P
at_most "$r" 128 'READs of 256 neighbouring pages'
