#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What was read of a remote repository is on the local disk: another mount asks
# the store what is new and nothing else, one that is offline asks nothing.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_root
need_fuse

unset YORE_CACHE_DIR
start_server
export YORE_REPOSITORY=s3://yore/r
yore init -q --no-passphrase
mkdir -p tree/{a,b} mnt
for i in {1..200}; do echo "$i of a" >tree/a/$i; done
head -c 5000000 /dev/urandom >tree/a/big
head -c 3000000 /dev/urandom >tree/b/unread
yore backup -q --host h --source tree tree
t=mnt/latest/h/tree

# the writer has left what it read, but nothing of what it wrote
rm -rf "$HOME/.cache"
mount_yore -o refresh=0 mnt
diff -r tree/a $t/a
ls -lR mnt/latest >all
yore umount mnt

mark
mount_yore -o refresh=0 mnt
ls mnt/latest >/dev/null
at_most "$(asked)" 1 'requests of a mount that has been here'
diff -r tree/a $t/a
ls -lR mnt/latest | cmp - all
at_most "$(asked)" 1 'requests of what was read before'
yore umount mnt

# somebody who has never been here can go on offline at once
HOME=$work/other mount_yore -o refresh=0 mnt
ls -lR mnt/latest | cmp - all
yore umount mnt
HOME=$work/other mount_yore --offline mnt
ls -lR mnt/latest | cmp - all
yore umount mnt

# nothing readable lies there
! grep -rq 'of a' "$HOME/.cache" || fail 'content in the cache'
exactly "$(stat -c %a "$HOME/.cache/yore")" 700 'mode of the cache'
yore cache status | grep -q . || fail 'no status'

# a cache that lies is found out
find "$HOME/.cache/yore" -path '*/*/*/*' -type f | while read -r file; do
	printf 'nonsense' | dd of="$file" bs=1 seek=300 conv=notrunc status=none
done
mount_yore -o refresh=0 mnt
diff -r tree/a $t/a
ls -lR mnt/latest | cmp - all
yore umount mnt

# another repository in its place is seen through, and so is the old one again
cp -a bucket/r old
empty() {
	local key
	(cd bucket && find r -type f) | while read -r key; do
		exactly "$(status_of DELETE "/$key")" 204 "DELETE $key"
	done
}
empty
yore init -q --no-passphrase
yore backup -q --host h --source other tree/b
mount_yore -o refresh=0 mnt 2>err
diff -r tree/b mnt/latest/h/other
yore umount mnt
empty
(cd old && find . -type f -printf '%P\n') | while read -r key; do
	exactly "$(status_of PUT "/r/$key" -T "old/$key")" 200 "PUT $key"
done
mount_yore -o refresh=0 mnt 2>err
diff -r tree/a $t/a
ls -lR mnt/latest | cmp - all
yore umount mnt

# offline, with the server gone
kill "${servers[@]}"
wait 2>/dev/null || :
servers=()
mount_yore --offline mnt
diff -r tree/a $t/a
ls -lR mnt/latest | cmp - all
! cat $t/b/unread >/dev/null 2>err || fail 'read what is not in the cache'
grep -q 'Network is down' err || fail "said $(cat err)"
diff tree/a/7 $t/a/7
yore umount mnt
yore cat --offline h/tree:a/7 2>err | cmp - tree/a/7 ||
	fail "yore cat offline: $(cat err)"

# nothing in the cache: one line says so
yore cache clear
run_status 1 yore mount --offline mnt
one_line err
says err 'not in the cache'
