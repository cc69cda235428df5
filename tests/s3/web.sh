#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A repository that a web server publishes: read, listed by its head, mounted.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
command -v busybox >/dev/null || { echo 'needs busybox'; exit 77; }
mkdir -p tree/sub www
seq 300000 >tree/sub/numbers
head -c 5000000 /dev/urandom >tree/random
ln -s sub/numbers tree/link
yore init -q -r www/repo --no-passphrase
yore backup -q -r www/repo --host h --source t tree

# a port that nobody has
for ((port = 20000 + $$ % 9000;; port++)); do
	busybox httpd -f -p 127.0.0.1:$port -h www 2>/dev/null &
	servers+=($!)
	for _ in {1..100}; do
		kill -0 $! 2>/dev/null || continue 2
		curl -sf -o format "http://127.0.0.1:$port/repo/format" && break 2
		sleep 0.05
	done
done
same format www/repo/format
export YORE_REPOSITORY=http://127.0.0.1:$port/repo

run_status 1 yore snapshots
one_line err
says err 'cannot be listed; .* "yore head"'
publish() {
	yore head -r www/repo >head
	mv head www/repo/head
}
publish
yore snapshots >list
says list ' h/t$'
yore restore h/t restored
same_tree tree restored
yore cat h/t:sub/numbers >numbers
same numbers tree/sub/numbers

# a new snapshot is there when the head is
echo new >tree/new
yore backup -q -r www/repo --host h --source t tree
run_status 1 yore cat h/t:new
publish
run_status 0 yore cat h/t:new
same out tree/new

if [ -w /dev/fuse ]; then
	mkdir mnt
	mount_yore mnt
	same_tree tree mnt/latest/h/t
	yore umount mnt
fi

# what is published is only read; beyond this machine only https
run_status 1 yore backup --host h tree
says err 'only read'
run_status 1 yore snapshots -r http://example.org/repo
says err 'only https://'
