#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How a mount ends: on a signal, by umount, unused, or by a crash.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

ends() {
	wait "$pid" || fail "$1: exit status $?"
	pid=
	! mountpoint -q "$mnt" || fail "$1: still mounted"
}

for signal in TERM INT; do
	start
	kill -$signal "$pid"
	ends SIG$signal
done

start
umount "$mnt" || fail umount
ends umount

# a working directory in it does not keep a signal from ending it
start
cd "$home" || exit 1
kill "$pid"
ends 'SIGTERM in use'
ls . 2>/dev/null && fail 'it is still served'
cd / || exit 1

# unused: unmounts itself, but not under somebody
start idle=1
cd "$home" || exit 1
sleep 3
mountpoint -q "$mnt" || fail 'unmounted under a working directory'
cd / || exit 1
# looking at the mountpoint itself would keep it busy
until_true eval '! grep -q "$mnt" /proc/mounts'
ends idle

# a crash is seen as one, never as an empty directory
start
ls "$mnt" >/dev/null
kill -9 "$pid"
wait "$pid" 2>/dev/null
pid=
sleep 1.1
ls "$mnt" 2>&1 | grep -q 'Transport endpoint is not connected' ||
	fail "after a crash: $(ls "$mnt" 2>&1)"
"$top_builddir/yorefs" /nowhere "$mnt" 2>&1 | grep -q "fusermount3 -u $mnt" ||
	fail 'no way out is shown'
umount "$mnt"
