#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What others do to the cache's files, between two mounts and under one: nobody
# who reads through a mount notices, and the cache is of use again afterwards.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_root
need_fuse

unset YORE_CACHE_DIR
mkdir -p tree/{small,large} mnt mnt2 bucket
for i in {1..200}; do head -c $((i * 37)) /dev/urandom >tree/small/$i; done
for i in {1..4}; do head -c 2000000 /dev/urandom >tree/large/$i; done
yore init -q --no-passphrase -r bucket/r
yore backup -q -r bucket/r --host h --source t tree
start_server
export YORE_REPOSITORY=s3://yore/r
cache=$HOME/.cache/yore

objects() { find "$cache" -path "$cache/*/*/*" -type f; }
each_object() { objects | while read -r file; do "$@" "$file"; done; }

flip() {
	python3 - "$1" <<'P'
import random, sys
random.seed(sys.argv[1])
with open(sys.argv[1], 'r+b') as f:
    size = f.seek(0, 2)
    for at in range(random.randrange(min(size, 997)), size, 9973):
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 1 << random.randrange(8)]))
P
}
halve() { truncate -s $(($(stat -c %s "$1") / 2)) "$1"; }
empty() { truncate -s 0 "$1"; }
lengthen() { head -c 100000 /dev/urandom >>"$1"; }
exchange() { cp "$(objects | shuf -n1 --random-source=tree/large/1)" "$1.x" && mv "$1.x" "$1"; }
make_link() { ln -sf /etc/passwd "$1"; }
make_directory() { rm "$1" && mkdir "$1"; }
make_fifo() { rm "$1" && mkfifo "$1"; }

damage() {
	case $1 in
	ledger_gone) rm "$cache/ledger.db" ;;
	ledger_noise) head -c 100000 /dev/urandom |
		dd of="$cache/ledger.db" conv=notrunc bs=4096 seek=1 status=none ;;
	ledger_empty) truncate -s 0 "$cache/ledger.db" ;;
	log_gone) rm -f "$cache"/ledger.db-* ;;
	epochs_gone) rm "$cache/epochs" ;;
	epochs_short) truncate -s 100 "$cache/epochs" ;;
	lock_gone) rm "$cache/lock" ;;
	all_gone) rm -rf "$cache" ;;
	*) each_object "$1" ;;
	esac
}

right() {
	timeout 100 diff -r tree "$1/latest/h/t" >differences 2>&1 ||
		fail "$2: $(head -3 differences)"
}

for kind in flip halve empty lengthen exchange make_link make_directory make_fifo \
	ledger_gone ledger_noise ledger_empty log_gone epochs_gone epochs_short \
	lock_gone all_gone; do
	mount_yore -o refresh=0 mnt
	right mnt "before $kind"
	yore umount mnt
	# between two mounts
	damage $kind
	mount_yore -o refresh=0 mnt 2>err
	right mnt $kind
	yore umount mnt
	# and under one, that has looked at a part of it
	mount_yore -o refresh=0 mnt2 2>err
	cat mnt2/latest/h/t/large/1 mnt2/latest/h/t/small/1 >/dev/null
	damage $kind
	right mnt2 "$kind under a mount"
	yore umount mnt2
	# what was lost is there again
	mount_yore -o refresh=0 mnt
	right mnt "after $kind"
	yore umount mnt
	mark
	mount_yore -o refresh=0 mnt
	right mnt "long after $kind"
	yore umount mnt
	at_most "$(asked)" 1 "requests after $kind was mended"
	echo "$kind: mended"
done
