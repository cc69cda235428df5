#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two very big files are read at a time while the processors are what is waited
# for.  What lies between and behind them keeps its place, its names and its
# attributes; what becomes of one of the two meanwhile is told of that one.
. "${top_srcdir:-.}/tests/fidelity/same.sh" || exit 1
need_root
/usr/bin/python3 -c 'import cryptography, zstandard' 2>/dev/null ||
	{ echo 'no python3-cryptography or -zstandard'; exit 77; }
export PYTHONDONTWRITEBYTECODE=1

mkdir -p tree/{a.dir,c.dir/sub,z.dir}
# text: for zstd's higher levels it is work
text() { head -c "$1" /dev/urandom | base64 -w 0; }
text 52000000 >tree/b.first
setfattr -n user.long -v "$(printf 'v%.0s' {1..3000})" tree/b.first
ln tree/b.first tree/a.dir/first.linked
ln tree/b.first tree/z.dir/again.linked
for i in {1..40}; do
	text 2000 >"tree/c.dir/$i"
	: >"tree/c.dir/sub/$i"
done
text 300000 >tree/c.dir/not.small
ln tree/c.dir/not.small tree/not.small.linked
head -c 70000000 /dev/urandom >tree/d.second
truncate -s 100M tree/d.second # it ends in a hole
chown 1234:4321 tree/d.second
ln -s d.second tree/e.soft
head -c 67200000 /dev/urandom >tree/f.third
touch -d 2020-02-02 tree/c.dir

make_repository
yore backup -v --level 15 --threads 2 --host h --source t tree 2>said >/dev/null
says said 'd.second is read beside first.linked'
# each of the two lies in packs of its own
/usr/bin/python3 "$top_srcdir/tests/golden/decode.py" --places repo \
	>places 2>/dev/null
packs_of() { grep "^data/.* content .*$1\$" places | cut -d ' ' -f 1 | sort -u; }
packs_of first.linked >packs.first
packs_of d.second >packs.second
[ "$(wc -l <packs.second)" -ge 3 ] && [ "$(wc -l <packs.first)" -ge 2 ] ||
	fail "$(wc -l packs.*)"
[ -z "$(comm -12 packs.first packs.second)" ] || fail 'packs of both'

same_as() { # TREE COPY
	rsync -aHAXSn --numeric-ids --checksum --delete --itemize-changes \
		"$1/" "$2/" >differences
	[ ! -s differences ] || fail "$(cat differences)"
}
yore restore -q h/t new
same_as tree new
yore check -q
if [ -w /dev/fuse ]; then
	mkdir -p mnt
	mount_yore mnt
	same_as tree mnt/latest/h/t
	[ "$(stat -c %h mnt/latest/h/t/b.first)" = 3 ] || fail 'names'
	umount mnt
fi

# nothing of it is read a second time, nor stored if it has to be
before=$(find repo/data -type f | wc -l)
yore backup -q --host h --source t tree
yore backup -q --force --level 15 --host h --source t tree
[ "$(find repo/data -type f | wc -l)" = "$before" ] || fail 'stored again'
yore restore -q h/t new2
same_as tree new2

# begin_both: a backup, the pid of which is then in pid, until it reads both
begin_both() {
	yore backup --level 15 --threads 2 --host h --source t tree \
		>/dev/null 2>said </dev/null &
	pid=$!
	for _ in {1..1200}; do
		ls -l /proc/$pid/fd >open 2>/dev/null
		grep -q 'first.linked$' open && grep -q 'd.second$' open && return
		sleep 0.05
	done
	fail 'one file after the other'
}

# interrupted in the middle of both
rm -rf repo new new2
make_repository
begin_both
kill -TERM $pid
wait $pid && fail 'not interrupted'
[ -z "$(yore snapshots -q)" ] || fail 'a snapshot of half a tree'

# the one that is read aside loses its end: no other does
rm -rf repo
make_repository
begin_both
truncate -s 1000000 tree/b.first
status=0
wait $pid || status=$?
[ $status = 3 ] || fail "status $status: $(cat said)"
says said 'first.linked: changed while it was read'
one_line said
yore check -q
yore restore -q h/t new
rm {new,tree}/b.first {new,tree}/[az].dir/*.linked
same_as tree new
