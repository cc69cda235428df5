#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A key that may only put backs up: after init alone, and incrementally.  Readers
# see everything at once.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

start_ceph
start_proxy
export YORE_REPOSITORY=s3://yore/r YORE_PASSWORD=secret
state=$HOME/.local/state/yore
mkdir -p tree/sub mnt
for i in {1..300}; do head -c 2000 /dev/urandom >tree/sub/$i; done
head -c 9000000 /dev/urandom >tree/big
backup() { yore backup -q --host h --source t tree; }

as rw
yore init -q
as put
mark
backup 2>err
[ ! -s err ] || fail "$(cat err)"
exactly $(($(asked GET) + $(asked LIST))) 3 'requests in vain'
[ -z "$(find "$state" -perm /077)" ] || fail 'others can read what is kept'
! grep -rqs secret "$state" || fail 'the passphrase is kept'

# the next one reads the directories it knows and stores what changed
echo changed >tree/sub/17
mark
yore backup --json --host h --source t tree | grep summary >summary
exactly "$(jq .files_unchanged summary)" 300 'files not read again'
at_most "$(jq .stored_bytes summary)" 60000 'bytes stored for one change'
exactly "$(jq .sequence summary)" 2 'its number'
at_most "$(asked PUT)" 4 'PUTs for one change'

# a reader sees both, whatever the catalogs say
as ro
exactly "$(yore snapshots h/t | grep -c h/t)" 2 'snapshots'
mount_yore -o refresh=0 mnt
same_tree tree mnt/latest/h/t
yore umount mnt
