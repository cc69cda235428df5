#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A snapshot whose files lie in the packs of twelve is read as a few stretches
# of each, not a request a frame, and little of what lies between.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

start_server
export YORE_REPOSITORY=s3://yore/r YORE_CACHE_DIR=$work/cache
yore init -q --no-passphrase
mkdir tree mnt

# change N: half of the files of every twelfth directory has new content, more
# than a writer gathers; before them lies something that the next change removes
change() {
	python3 - "$1" <<-'P'
	import os, random, sys
	state = int(sys.argv[1])
	r = random.Random(state)
	for d in range(60):
	    os.makedirs(f"tree/{d:02}", exist_ok=True)
	    for i in range(60):
	        if state == 0 or d % 12 == state and i % 2:
	            with open(f"tree/{d:02}/{i:02}", "wb") as f:
	                f.write(r.randbytes(8000))
	    if os.path.exists(f"tree/{d:02}/+"):
	        os.remove(f"tree/{d:02}/+")
	    if state < 11 and d % 12 == state:
	        with open(f"tree/{d:02}/+", "wb") as f:
	            f.write(r.randbytes(400000))
	P
}

for state in {0..11}; do
	change "$state"
	yore backup -q --host h --source t tree
done
rm -r cache
start_proxy delay=20
mount_yore -o refresh=0 mnt
mark
tar -cf read.tar -C mnt/latest/h/t .
n=$(asked)
bytes=$(since | awk '{ n += $7 } END { print n }')
echo "$n requests for $(find tree -type f | wc -l) files in" \
	"$(find bucket -path '*data*' -type f | wc -l) packs, $bytes bytes"
at_most "$n" 32 'requests of tar'
# all frames of the first state, and what changed: of what comes at most a quarter
# may be something else, and a little is asked for twice on a busy machine
wanted=$((3600 * 8000 + 11 * 5 * 30 * 8000))
at_most "$bytes" $((wanted * 7 / 5 + 500000)) 'bytes of tar'
# five at most that are used a little, and the newest
packs=$(since | grep -o '/meta/[^ ?]*' | sort -u | wc -l)
at_most "$packs" 6 'packs that pages were read from'
mkdir out
tar -xf read.tar -C out
diff -r tree out || fail 'other content'
umount mnt
mark
mount_yore -o refresh=0 mnt
tar -cf - -C mnt/latest/h/t . | cmp - read.tar || fail 'other the second time'
at_most "$(asked)" 1 'requests after a remount'
