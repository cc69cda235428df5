#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# yore mount returns when the tree is there; yore umount says who is in it.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
need_fuse

make_repository
mkdir -p tree/sub mnt
echo hello >tree/sub/file
yore backup -q --host h --source t tree
yore init -q -r sealed --password-command 'echo secret'
YORE_PASSWORD=secret yore backup -q -r sealed --host s --source t tree

mount_yore mnt
same tree/sub/file mnt/latest/h/t/sub/file
# busy: named, not ended
sleep 60 <mnt/latest/h/t/sub/file &
run_status 1 yore umount mnt
one_line err
says err "$work/mnt is in use by sleep \\($!\\)"
says err 'yore umount -l'
kill $!
wait $! || :
# the daemon, which takes a while to end, is waited for
pid=$(daemon_of mnt)
kill -STOP "$pid"
(sleep 0.5; kill -CONT "$pid") &
run_status 0 yore umount mnt
! ps -o stat= -p "$pid" | grep '^[^Z]' || fail 'its daemon is still there'
[ -z "$(ls mnt)" ]
run_status 1 yore umount mnt
says err 'nothing of yore is mounted there'
run_status 1 yore umount /proc
says err 'nothing of yore'

# one source, part of one, options on any side
mount_yore h/t@latest:sub mnt
same tree/sub/file mnt/file
yore umount mnt
mount_yore -r sealed --password-command 'echo secret' s/t mnt
same tree/sub/file mnt/latest/sub/file
exec 5<mnt/latest/sub/file
run_status 1 yore umount mnt
run_status 0 yore umount -l mnt
exec 5<&-

run_status 10 yore mount -r nowhere mnt
one_line err
run_status 11 env YORE_PASSWORD=wrong yore mount -r sealed mnt
one_line err
run_status 1 yore mount h/none mnt
one_line err
run_status 2 yore mount

# what is here needs no network; what is elsewhere must be in the cache
mount_yore --offline mnt
yore umount mnt
run_status 1 yore mount --offline -r s3://bucket/prefix mnt
one_line err
