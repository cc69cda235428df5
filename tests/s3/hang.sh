#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A store that has fallen silent keeps nobody waiting who does not want its
# bytes: what is there is read, statfs and listings of parents answer, whoever
# is stopped stops, and the mount goes away.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_root
need_fuse

start_server
export YORE_REPOSITORY=s3://yore/r
yore init -q --no-passphrase
mkdir tree mnt
for i in {1..40}; do head -c 300000 /dev/urandom >tree/$i; done
seq 1000 >tree/small
yore backup -q --host h --source tree tree
mount_yore -o refresh=0 mnt
t=mnt/latest/h/tree
ls -l $t >/dev/null
cat $t/40 >/dev/null
server 'fault GET *data* 1+ stall'

readers=()
for i in {1..32}; do
	env --default-signal=INT,TERM,HUP cat $t/$i >/dev/null 2>&1 &
	readers+=($!)
done
sleep 0.3

# ms COMMAND...: how long it took; it must not take ten seconds
ms() {
	local began
	began=$(date +%s%N)
	timeout 10 "$@" >/dev/null || fail "$*: $?"
	took=$((($(date +%s%N) - began) / 1000000))
}
limit=${YORE_TEST_HANG_MS:-5000}
for command in "df $t" "ls mnt/latest" "ls -l $t" "cat $t/40" "stat $t/7" \
	"cat mnt/.yore/status"; do
	ms $command
	at_most $took "$limit" "ms of $command while 32 GETs hang"
done

# a signal that only interrupts does not stop a reader
kill -WINCH "${readers[0]}"
kill -CHLD "${readers[0]}"
sleep 0.3
kill -0 "${readers[0]}" || fail 'SIGWINCH stopped a reader'
# others do, also after it
ends_by() {
	local began
	kill -"$1" "$2"
	began=$(date +%s%N)
	for _ in $(seq 200); do
		kill -0 "$2" 2>/dev/null || break
		sleep 0.02
	done
	took=$((($(date +%s%N) - began) / 1000000))
	! kill -0 "$2" 2>/dev/null || return 1
}
next=0
for signal in INT TERM HUP KILL; do
	ends_by $signal "${readers[next]}" || {
		cat "/proc/${readers[next]}/status" "/proc/${readers[next]}/stack"
		fail "a reader does not end by $signal"
	}
	at_most $took "$limit" "ms until a reader ended by $signal"
	next=$((next + 1))
done

# who waits for the same bytes as one who is stopped goes on waiting, and has
# them once the store is back
env --default-signal=INT,TERM,HUP cat $t/33 >/dev/null &
first=$!
sleep 0.1
cat $t/33 >copy &
second=$!
sleep 0.1
kill -INT $first
server clear
wait $second || fail 'the second reader failed'
same copy tree/33

server 'fault GET *data* 1+ stall'
cat $t/34 >/dev/null 2>&1 &
sleep 0.2
ms yore umount -l mnt
at_most $took 5000 'ms of umount'
kill -KILL "${readers[@]:next}" $! 2>/dev/null || :
