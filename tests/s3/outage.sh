#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A store that vanishes under a mount holds up nobody who does not need it, and
# is used again when it is back.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

start_server
start_proxy
export YORE_REPOSITORY="s3://yore/r?timeout=2"
mkdir -p tree/there mnt
for i in 1 2 3 4; do head -c 300000 /dev/urandom >tree/$i; done
echo 'is read before' >tree/there/file
yore init -q --no-passphrase
yore backup -q --host h --source t tree
as ro
mount_yore -o refresh=0 mnt
t=mnt/latest/h/t
ls -l $t $t/there >/dev/null
cat $t/there/file $t/1 >/dev/null

# within MS COMMAND...: it ends in that time; its status is in $status.
within() {
	local most=$1 start=${EPOCHREALTIME/./} ms
	shift
	status=0
	timeout -s KILL 60 "$@" >out 2>err || status=$?
	ms=$(((${EPOCHREALTIME/./} - start) / 1000))
	[ $ms -le "$most" ] || fail "$* took $ms ms"
}

for line in hole drop refuse; do
	proxy $line
	# somebody waits for the store, and is told in time
	cat $t/2 >waited 2>waited.err &
	reader=$!
	sleep 0.2
	for command in "df mnt" "stat -f mnt" "ls mnt" "ls -l $t" \
		"cat $t/there/file" "cmp $t/1 tree/1" \
		"cat mnt/.yore/status"; do
		# shellcheck disable=SC2086 # words
		within 2000 $command
		exactly $status 0 "$line: status of $command"
	done
	# ^C, or rather another signal: bash has its jobs ignore SIGINT
	cat $t/3 >interrupted 2>&1 &
	other=$!
	sleep 0.2
	kill -TERM $other 2>/dev/null || :
	within 1000 tail --pid=$other -s 0.05 -f /dev/null
	# (the kernel reads again, some five times, what it could not read)
	within 30000 tail --pid=$reader -s 0.05 -f /dev/null
	! wait $reader || fail "$line: was read without a store"
	says waited.err 'Input/output error'
	# and it is back
	proxy normal
	within 20000 cmp $t/2 tree/2
	exactly $status 0 "$line: reading again"
	yore umount mnt
	mount_yore -o refresh=0 mnt
	ls -l $t $t/there >/dev/null
	cat $t/there/file $t/1 >/dev/null
done

# unmounting needs no store
proxy hole
cat $t/4 >/dev/null 2>&1 &
sleep 0.2
within 10000 umount -l mnt
exactly $status 0 'umount -l'
proxy normal
