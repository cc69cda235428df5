#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A key that may only put, and what it goes by is lost, in part or all: what
# lacks is said together with the way out, and nothing is stored twice.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_ceph
export YORE_REPOSITORY=s3://yore/r
state=$HOME/.local/state/yore
mkdir -p tree/sub
for i in {1..300}; do head -c 2000 /dev/urandom >tree/sub/$i; done
backup() { yore backup -q --host h --source "${1:-t}" tree; }

as rw
yore init -q --no-passphrase
as put
backup

# without those directories every file is read, and nothing is stored twice
echo new >tree/sub/18
rm -r "$state"/*/stash/*/*/pages
yore backup --json --host h --source t tree 2>err | grep summary >summary
one_line err
says err 'directories of the snapshot before cannot be read; .*a key that also reads'
exactly "$(jq .sequence summary)" 2 'its number'
at_most "$(jq .stored_bytes summary)" 60000 'bytes stored without directories'

# a source more: nobody else can have made one
backup u
# but where the repository was not made, it takes a look
rm "$state"/*/stash/*/new
run_status 1 backup v
one_line err
says err 'h/v has not been backed up from here.*with a key that also reads'
as rw
backup v
as put
backup v
exactly "$(as ro; yore snapshots h/v | grep -c h/v)" 2 'snapshots of v'

# who reads and writes again goes on from there, and the catalogs are whole
as rw
rm tree/sub/1
backup
exactly "$(yore snapshots h/t | grep -c h/t)" 3 'snapshots in the end'
as ro
run_status 0 yore restore -q h/t new
same_tree tree new

# nothing kept: one line says why and what helps
as put
rm -r "$state"
run_status 1 backup
one_line err
says err 's3://yore/r.*access is denied.*one backup with a key that also reads'
# keys that are none are no reason to go by what is kept
as rw
backup
AWS_SECRET_ACCESS_KEY=wrong run_status 1 backup
says err 'the keys are refused'
