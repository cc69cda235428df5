#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What reading files of a bucket costs, cold: requests for many small ones, bytes
# that nobody wanted, and what many readers or many snapshots share.
# YORE_TEST_FULL=1: with 100,000 small files and 1,000 large ones.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_root
need_fuse

small=20000 large=40
[ -z "${YORE_TEST_FULL-}" ] || small=100000 large=1000
mkdir -p bucket small large one mnt
python3 - $small $large <<'P'
import os, random, sys
random.seed(5)
for i in range(int(sys.argv[1])):
    if i % 200 == 0:
        os.mkdir(f'small/{i // 200}')
    with open(f'small/{i // 200}/{i}', 'wb') as f:
        f.write(random.randbytes(4096))
for i in range(int(sys.argv[2])):
    with open(f'large/{i:04}', 'wb') as f:
        f.write(random.randbytes(3 << 20))
P
head -c 2000000 /dev/urandom >one/content
for i in {1..64}; do head -c 3000 /dev/urandom >one/$i; done
mkdir one/below
head -c 3000000 /dev/urandom >one/below/large
repository=bucket/r
yore init -q --no-passphrase -r $repository
yore backup -q -r $repository --host h --source one one
"$top_builddir/tests/s3/many" $repository 99
for t in small large; do
	yore backup -q -r $repository --host h --source $t $t
done
start_server
export YORE_REPOSITORY=s3://yore/r

metric() { awk -v name="yore_$1" '$1 == name { print $2 }' mnt/.yore/metrics; }
down() { since | awk '$NF ~ /data/ { n += $7 } END { print n + 0 }'; }

# the first byte of a small file and of a large one, once their names are known
cat >first.py <<'P'
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
sys.stdout.buffer.write(os.pread(fd, 1, 0))
P
for file in small/0/17 one/below/large; do
	mount_yore -o refresh=0 mnt
	stat mnt/latest/h/$file >/dev/null
	mark
	python3 first.py mnt/latest/h/$file | cmp - <(head -c1 $file)
	exactly "$(asked)" 1 "requests for the first byte of $file"
	yore umount mnt
done

# tar of many small files
mount_yore -o refresh=0 mnt
mark
exactly "$(tar -cf - -C mnt/latest/h/small . | wc -c)" \
	"$(tar -cf - -C small . | wc -c)" 'bytes of tar'
echo "$small files of 4 KiB: $(asked GET data) requests for content," \
	"$(asked GET meta) for names"
at_most "$(asked GET data)" $((small / 100)) 'requests for small files'
at_most "$(asked GET meta)" $(($(du -bs bucket/r/meta | cut -f1) / 1048576 + 20)) \
	'requests for their names'
yore umount mnt

# the first megabyte of each of many files
mount_yore -o refresh=0 mnt
ls mnt/latest/h/large >/dev/null
mark
head -qc 1M mnt/latest/h/large/* | cmp - <(head -qc 1M large/*)
echo "$large heads: $(down) bytes, $(metric ahead_unread_bytes) read ahead and" \
	"not wanted"
at_most "$(metric ahead_unread_bytes)" $(($(down) / 4)) 'bytes read ahead in vain'
wanted=$(($(down) - $(metric ahead_unread_bytes)))
yore umount mnt

# the same with a disk cache, into which a scout brings what comes next
export YORE_CACHE_DIR=$work/cache
mount_yore -o refresh=0 mnt
mark
tar -cf - -C mnt/latest/h/small . | cmp - <(tar -cf - -C mnt/latest/h/small .)
echo "with a cache: $(asked GET data) requests for content, $(down) bytes"
at_most "$(asked GET data)" $((small / 400)) 'requests for small files'
at_most "$(down)" $((small * 4700)) 'bytes of them'
mark
ls mnt/latest/h/large >/dev/null
head -qc 1M mnt/latest/h/large/* | cmp - <(head -qc 1M large/*)
settle
echo "heads: $(down) bytes"
at_most $(($(down) - wanted)) $(($(down) / 4)) 'bytes brought in vain'
yore umount mnt
export YORE_CACHE_DIR=

# one after the other, whole
mount_yore -o refresh=0 mnt
mark
cat mnt/latest/h/large/* | cmp - <(cat large/*)
size=$(du -bs large | cut -f1)
at_most $(($(down) - size)) $((size / 10)) 'bytes nobody wanted'
yore umount mnt

# at random: no read-ahead after the third miss, one frame a miss
mount_yore -o refresh=0 mnt
cat >random.py <<'P'
import os, random, sys
random.seed(3)
fd = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
for _ in range(30):
    os.pread(fd, 4096, random.randrange(700) * 4096)
P
stat mnt/latest/h/large/0000 >/dev/null
mark
python3 random.py mnt/latest/h/large/0000
at_most "$(asked GET data)" 30 'requests of 30 random reads'
exactly "$(metric ahead_frames_total)" 0 'frames read ahead of random reads'
yore umount mnt

# 64 readers of one frame; every answer is late, so that all of them wait
unset YORE_CACHE_DIR
mount_yore -o refresh=0,nostore mnt
t=mnt/latest/h/one
ls -l $t >/dev/null
server 'fault GET *data* 1+ delay=500'
unsealed=$(metric frames_unsealed_total)
mark
for i in {1..64}; do echo $t/$i; done | xargs -P64 -n1 cat >copies
exactly "$(wc -c <copies)" $((64 * 3000)) 'bytes of 64 readers'
exactly "$(asked GET data)" 1 'requests for one frame and 64 readers'
exactly $(($(metric frames_unsealed_total) - unsealed)) 1 unsealings
server clear

# one content in 100 snapshots: fetched once, on the disk once
mark
md5sum mnt/sources/h/one/snapshots/*/content | cut -c1-32 | sort -u >sums
exactly "$(cat sums)" "$(md5sum <one/content | cut -c1-32)" 'content'
exactly "$(ls mnt/sources/h/one/snapshots | wc -l)" 100 snapshots
at_most "$(down)" 2020000 'bytes for one content in 100 snapshots'
yore umount mnt
kept=$(du -s --block-size=1 "$HOME"/.cache/yore/*/ | awk '{ n += $1 } END { print n }')
echo "on the disk: $kept bytes"
at_most "$kept" 3500000 'bytes cached of 2.2 MB in 100 snapshots'
