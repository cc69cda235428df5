#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A directory of a million entries: a look-up costs two requests and 256 KiB
# wherever in it, and listing it little memory.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_root
need_fuse

mkdir -p bucket tree mnt
echo content >tree/file
yore init -q --no-passphrase -r bucket/r
yore backup -q -r bucket/r --host h --source t tree
"$top_builddir/tests/s3/wide" bucket/r 1000000
start_server
export YORE_REPOSITORY=s3://yore/r
t=mnt/latest/h/t/wide

resident() { awk '/^VmRSS/ { print $2 }' "/proc/$(daemon_of mnt)/status"; }

for i in 0000000 0123456 0500000 0777777 0999999; do
	mount_yore -o refresh=0 mnt
	ls mnt/latest/h/t >/dev/null
	mark
	stat $t >/dev/null
	exactly "$(asked)" 0 'requests for the directory itself'
	exactly "$(stat -c %s $t/f$i)" 4096 "size of f$i"
	down=$(since | awk '{ n += $7 } END { print n }')
	echo "f$i: $(asked) requests, $down bytes"
	at_most "$(asked)" 2 "requests for f$i of 1,000,000"
	at_most "$down" 262144 "bytes for f$i of 1,000,000"
	[ ! -e $t/g$i ] || fail "there is a g$i"
	yore umount mnt
done

mount_yore -o refresh=0 "$work/mnt"
ls mnt/latest/h/t >/dev/null
before=$(resident)
mark
exactly "$(ls -f $t | grep -c ^f)" 1000000 entries
grown=$(($(resident) - before))
meta=$(du -bs bucket/r/meta | cut -f1)
echo "listing: $(asked) requests for $meta bytes, $grown KiB more memory"
at_most "$(asked)" $((meta / 1048576 + 20)) 'requests to list 1,000,000'
at_most "$grown" 16384 'KiB of memory to list 1,000,000'
