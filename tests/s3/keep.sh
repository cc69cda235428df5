#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# prefetch, pin, unpin, evict, needs: what was brought is read offline without a
# request, what is pinned stays, and nothing readable says what that is.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_root
need_fuse

unset YORE_CACHE_DIR
start_server
export YORE_REPOSITORY=s3://yore/r
yore init -q --no-passphrase
mkdir -p tree/{a,b/deep/er,c} mnt
for i in {1..300}; do echo "$i of a" >tree/a/$i; done
head -c 20000000 /dev/urandom >tree/b/big
truncate -s 5M tree/b/deep/holes
echo end >>tree/b/deep/holes
echo bottom >tree/b/deep/er/file
setfattr -n user.long -v "$(head -c 2000 /dev/zero | tr '\0' x)" tree/b
head -c 3000000 /dev/urandom >tree/c/other
yore backup -q --host h --source t tree
echo changed >tree/a/7
yore backup -q --host h --source t tree
cache=$HOME/.cache/yore
# so that requests under way at one time can be told
server 'fault GET *data* 1+ delay=150'
cold() { rm -rf "$HOME/.cache"; }

# read_offline WHAT: it is read without a request and is right
read_offline() {
	mount_yore --offline mnt
	mark
	diff -r "tree/$1" "mnt/latest/h/t/$1"
	exactly "$(getfattr -dm- --absolute-names "mnt/latest/h/t/$1" 2>&1 | tail -n +2)" \
		"$(getfattr -dm- --absolute-names "tree/$1" 2>&1 | tail -n +2)" attributes
	exactly "$(asked)" 0 "requests offline for $1"
	yore umount mnt
}

# a snapshot, a directory, a file; a second time costs the mount's listing only
for what in . b a/7; do
	cold
	mark
	yore prefetch h/t:$what >out
	says out 'in the cache, .* of it new$'
	[ "$what" != . ] || at_most "$(asked)" 60 'requests to prefetch 23 MB'
	[ "$what" != . ] || [ "$(most_in_flight)" -ge 2 ] ||
		fail "$(most_in_flight) in flight"
	read_offline $what
	mark
	yore prefetch -q h/t:$what
	at_most "$(asked)" 1 'requests to prefetch it again'
done
cold
yore prefetch -q h/t:b
run_status 1 yore prefetch --offline h/t:a
one_line err
says err 'is not in the cache'
yore prefetch --offline -q h/t:b

# needs: what is there and what is not, down to the byte
yore needs --json h/t:c >out
exactly "$(jq -r 'select(.name | startswith("data/")) | .state' out)" missing 'state of c'
bytes=$(jq -s 'map(select(.name | startswith("data/")) | .bytes) | add' out)
[ "$bytes" -ge 3000000 ] && [ "$bytes" -le 3010000 ] || fail "needs $bytes"
jq -r 'select(.whole | not) | .name' out | while read -r object; do
	[ -f "bucket/r/$object" ] || fail "$object is not there"
done
yore needs -m h/t:b >out
[ ! -s out ] || fail "lacks $(cat out)"

# evict: gone are its bytes, and only they
yore evict h/t:b/big >out
says out 'MiB freed'
exactly "$(yore needs --json -m h/t:b | jq -s length)" "$(yore needs --json -m h/t:b/big | jq -s length)" 'objects that lack'
mount_yore --offline mnt
cat mnt/latest/h/t/b/deep/er/file >/dev/null
! cat mnt/latest/h/t/b/big >/dev/null 2>&1 || fail 'evicted and still there'
yore umount mnt

# a pin survives what drives everything else out
cold
yore cache limit 30M --min-free 0
yore pin -q --name 'the bottom' h/t:b/deep
for _ in 1 2; do yore cat h/t:b/big h/t:c/other >/dev/null; done
yore cache status -r $YORE_REPOSITORY >out
says out 'by 1 pin$'
says out '^pin +the bottom, (.*) of \1 there$'
! grep -rqs 'the bottom' "$cache" || fail 'the name of a pin can be read'
yore cache clear
mount_yore --offline mnt
diff -r tree/b/deep mnt/latest/h/t/b/deep
yore umount mnt
run_status 1 yore unpin 'another'
one_line err
says err 'no pin named another'
yore unpin 'the bottom' --evict >out
says out freed
says <(yore cache status) 'by 0 pins$'

# refused: too little room, nothing to be kept in
yore cache limit 4M
run_status 1 yore pin h/t:b
one_line err
says err 'it takes 19.* MiB, the cache holds at most 4.0 MiB'
says <(yore cache status) 'by 0 pins$'
run_status 1 yore prefetch --no-cache h/t
one_line err
says err 'there is no disk cache'
yore init -q --no-passphrase -r local
run_status 1 yore prefetch -r local h/t
one_line err
says err 'lies on this machine'
run_status 1 yore prefetch h/nothing
one_line err
