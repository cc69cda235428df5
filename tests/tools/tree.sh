# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# make_tree DIR: everything a file system can hold.  Needs root.

make_tree() {
	local dir=$1 long
	long=$(printf 'x%.0s' {1..255})
	mkdir -p "$dir"/{a/b,c,sticky,sgid,noaccess,'sp ace'}
	(
		cd "$dir"
		echo one >a/file
		ln a/file c/hard
		ln a/file a/b/link
		ln -s ../a/file c/soft
		ln c/soft c/soft2
		ln -s "$(printf 'y%.0s' {1..4095})" longest
		: >"$long"
		printf q >$'\xff\xfe\x01byte\n'
		mkfifo fifo
		mknod char c 1 3
		mknod block b 7 99
		python3 -c 'import socket
socket.socket(socket.AF_UNIX).bind("socket")'
		truncate -s 1G sparse
		printf data | dd of=sparse bs=1 seek=700000000 conv=notrunc \
			status=none
		head -c 300000 /dev/urandom >random
		head -c 100000 /dev/zero >zeros
		cp /bin/true suid
		chown 1234:2345 suid a/b longest fifo -h
		setcap cap_net_raw+ep suid
		chmod 6755 suid
		chmod 1777 sticky
		chmod 2750 sgid
		setfattr -n user.note -v some a/file
		setfattr -n user.dir -v thing a
		setfattr -n trusted.link -v yes -h c/soft
		setfattr -n user.big -v "$(printf 'v%.0s' {1..3000})" random
		setfacl -m u:1234:rw,g:2345:r a/file
		setfacl -m u:1234:rwx -d -m u:1234:rx a/b
		touch -d '1901-12-14 01:02:03.123456789' random
		touch -d '2106-12-31 23:59:59.5' zeros
		touch -h -d '1969-12-31 23:59:58.25' c/soft
		touch -d '2001-02-03' a/b a sgid
		chmod 0 zeros
		chmod 0555 c
		chmod 0 noaccess
	)
}

# make_deep DIR N: directories N deep, a file at the bottom.
make_deep() {
	mkdir -p "$1/$(printf 'd/%.0s' $(seq "$2"))"
	echo deep >"$1/$(printf 'd/%.0s' $(seq "$2"))bottom"
}
