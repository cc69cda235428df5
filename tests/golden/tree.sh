#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the trees of the golden repository: tree.sh 1|2 DIRECTORY makes or
# changes DIRECTORY/tree, and with 1 also DIRECTORY/etc.  As root.
set -eu
export LC_ALL=C
cd "$2"

# N bytes that do not compress, the same ones for the same label.
noise() {
	openssl enc -aes-128-ctr -K "$(printf %s "$2" | md5sum | cut -c1-32)" \
		-iv 00000000000000000000000000000000 </dev/zero 2>/dev/null |
		head -c "$1" || true
}

first() {
	umask 022
	mkdir -p tree/{small,big,kinds,names,links,xattrs,many,empty,times} etc
	: >tree/small/0
	for n in 1 127 128 129 4096 20000; do noise $n s$n >tree/small/$n; done
	for n in {1..60}; do
		seq $((n * 7)) $((n * 11)) >tree/small/text$n
	done
	awk 'BEGIN { for (i = 0; i < 60000; i++)
		print "line", i % 977, "compresses well" }' >tree/big/text
	noise 140000 big >tree/big/noise
	cp tree/big/noise tree/big/copy
	{ noise 5000 a; } >tree/big/sparse
	noise 5000 b | dd of=tree/big/sparse bs=1M seek=1 status=none
	truncate -s 3000001 tree/big/sparse
	truncate -s 2M tree/big/hole
	for n in {100..899}; do noise 128 many$n >tree/many/file$n; done
	deep=tree/deep
	for n in {1..60}; do deep=$deep/d$n; done
	mkdir -p $deep && echo bottom >$deep/bottom
	mkfifo -m 640 tree/kinds/fifo
	mknod tree/kinds/char c 1 3
	mknod tree/kinds/block b 259 123456
	python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' tree/kinds/socket
	install -m 6755 /dev/null tree/kinds/setid
	chmod 1777 tree/empty
	chown 12345:4294967294 tree/kinds/setid tree/small/1
	echo a >tree/names/$'\xff\xfe' && echo b >tree/names/$'new\nline'
	echo c >tree/names/'back\slash space' && echo d >tree/names/...
	echo e >"tree/names/$(printf 'n%.0s' {1..255})"
	ln -s ../small/1 tree/links/soft && ln -s "$(printf 'x%.0s' {1..4000})" \
		tree/links/long
	echo linked >tree/links/one && ln tree/links/one tree/links/two
	ln tree/links/one tree/names/three && ln tree/kinds/fifo tree/links/fifo
	noise 30000 linked >tree/links/big && ln tree/links/big tree/big/other
	echo x >tree/xattrs/few && echo x >tree/xattrs/many
	setfattr -n user.empty tree/xattrs/few
	setfattr -n user.a -v value tree/xattrs/few
	setfattr -n user.big -v "$(printf 'v%.0s' {1..2000})" tree/xattrs/many
	setfattr -n user.dir -v 1 tree/xattrs
	echo x >tree/xattrs/acl && setfacl -m u:1000:r,g:7:rw tree/xattrs/acl
	setfacl -d -m u:1000:rx tree/xattrs
	cp /bin/true tree/xattrs/cap && echo >tree/xattrs/cap
	setcap cap_net_raw+ep tree/xattrs/cap
	: >tree/times/old
	touch -h -d '1901-12-14 00:00:00.000000001 UTC' tree/times/old
	touch -d '2200-01-01 00:00:00.999999999 UTC' tree/times/new
	touch -d '1969-12-31 23:59:59.5 UTC' tree/times/before
	echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd
	mkdir -m 700 etc/private && noise 300 key >etc/private/key
	find tree etc -depth ! -path 'tree/times/*' \
		-exec touch -h -d '2026-11-20 10:32:15.123456789 UTC' {} +
}

second() {
	echo more >>tree/small/text1
	rm tree/small/text2 && mv tree/small/text3 tree/small/text0
	noise 128 changed >tree/many/file890
	echo 'a line more' >>tree/big/text
	echo another >tree/links/two
	chmod 600 tree/kinds/setid && rmdir tree/empty && mkdir tree/new
}

if [ "$1" = 1 ]; then first; else second; fi
