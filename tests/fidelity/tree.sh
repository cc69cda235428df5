# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# make_everything DIR: one of everything that a file system can hold.  Root
# only.  What it holds of xattrs is what the file system takes: xattrs.sh has
# the test of 64 KiB in one file.
#
# DIR/huge is a hole of 1 TiB with one byte in it: nothing may read it from
# end to end.

make_everything() {
	mkdir "$1"
	(
		cd "$1"
		make_links
		make_holes
		make_special
		make_attributes
		make_names
		make_sizes
		make_times
	)
}

# Files of one inode in several directories, symlinks, one of the longest.
make_links() {
	mkdir -p links/{a,b,c}
	echo one >links/a/one
	ln links/a/one links/b/uno
	ln links/a/one links/c/eins
	ln -s ../a/one links/c/soft
	ln links/c/soft links/b/soft
	ln -s nowhere links/dangling
	ln -s "$(printf 't%.0s' {1..4095})" links/longest
	head -c 400000 /dev/urandom >links/a/big
	ln links/a/big links/c/big
}

# poke FILE OFFSET TEXT
poke() {
	printf %s "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

make_holes() {
	mkdir holes
	truncate -s 1G holes/sparse
	head -c 200000 /dev/urandom | dd of=holes/sparse bs=64K seek=100 \
		conv=notrunc status=none
	poke holes/sparse 819200000 middle
	poke holes/sparse 1073741823 x
	truncate -s 1T huge
	poke huge 500000000000 x
	truncate -s 100K holes/all
	printf begins >holes/small
	truncate -s 64K holes/small
	truncate -s 1M holes/ends
	poke holes/ends 1048575 x
	head -c 100000 /dev/zero >holes/zeros-not-holes
	sync huge holes/* # a file's blocks are known for good when it is written
}

make_special() {
	mkdir -m 1777 sticky
	mkdir -m 2770 setgid
	mkdir -m 0 closed
	mkdir -m 555 readonly
	mkfifo -m 600 fifo
	python3 -c 'import socket
socket.socket(socket.AF_UNIX).bind("socket")'
	mknod char c 1 3
	mknod block b 7 200
	mknod numbers c 4000 1000000
	cp /bin/true setuid
	chmod 4755 setuid
	cp /bin/true setgid-file
	chmod 2711 setgid-file
	echo secret >unreadable
	chmod 0 unreadable
	echo other >other
	chown 123456:654321 other closed
	chown -h 55:66 links/c/soft
}

make_attributes() {
	local i
	mkdir attributes
	cd attributes
	touch many acl cap
	for i in {1..40}; do
		setfattr -n "user.a$i" -v "$i$(printf 'v%.0s' {1..40})" many
	done
	setfattr -n user.binary -v 0x00ff0a00 many
	setfattr -n user.empty many
	mkdir dir
	setfattr -n trusted.dir -v some dir
	ln -s many soft
	setfattr -h -n trusted.link -v some soft
	setfacl -m u:1234:r,g:55:rw acl
	setfacl -m u:7:rx -d -m u:1234:rwx dir
	cp /bin/true cap
	setcap cap_net_raw+ep cap
	cd ..
}

make_names() {
	local i d
	mkdir names list
	: >"names/$(printf 'n%.0s' {1..255})"
	mkdir "names/$(printf 'd%.0s' {1..255})"
	echo 1 >$'names/\xff\xfe bad \x80'
	echo 2 >$'names/new\nline'
	echo 3 >$'names/\e[31mred'
	echo 4 >'names/ spaces '
	echo 5 >names/-n
	echo 6 >"names/quote'\""
	echo 7 >$'names/\\backslash'
	echo 8 >names/...
	d=$(printf 'd/%.0s' {1..1000})
	mkdir -p "deep/$d"
	echo bottom >"deep/${d}bottom"
	for i in {1..3000}; do
		printf "%$((i % 200))d" "$i" >"list/$i"
	done
}

# Around the bounds of the format: inline, solid frames, chunks.
make_sizes() {
	local n
	mkdir sizes
	for n in 0 1 127 128 129 4096 131071 131072 131073 262144 5000001; do
		head -c $n /dev/urandom >sizes/random-$n
		{ yes "text $n" || :; } | head -c $n >sizes/text-$n
	done
	cp sizes/random-5000001 sizes/again
	sqlite3 sizes/db 'create table t (a, b); with recursive c(i) as
		(select 1 union all select i + 1 from c where i < 20000)
		insert into t select i, hex(randomblob(30)) from c'
}

make_times() {
	mkdir times
	touch -d '1950-06-01 12:34:56.123456789' times/old
	touch -d '1969-12-31 23:59:59.999999999' times/before
	touch -d '1970-01-01' times/epoch
	touch -d '2038-01-19 03:14:08' times/2038
	touch -d '2107-01-01 00:00:00.5' times/2107
	touch -d '2200-01-01 00:00:00.000000001' times/new
	touch -h -d '1931-01-01' links/dangling
	touch -d '1999-12-31 23:59:59.1' list times
}
