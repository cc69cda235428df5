#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Keys are changed in a bucket, while a cache and a writer that only puts go by
# what they keep of them.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

for secret in one two; do echo $secret >$secret; done
mkdir tree && echo content >tree/file
[ "${1-}" = server ] && start_server || start_ceph
export YORE_REPOSITORY=s3://$s3_bucket/r
yore init -q --password-file one
yore backup -q --password-file one --host h --source t tree
export YORE_CACHE_DIR=$work/cache
yore cat --password-file one h/t:file | cmp - tree/file

# a reader may look at keys and change none
as ro
run_status 0 yore key list --password-file one
says out '^\* [0-9a-f]{32}  passphrase'
run_status 1 yore key add --password-file one --new-password-file two
says err 'access is denied'
as rw
yore key passwd -q --password-file one --new-password-file two
yore key list --password-file two --json | jq -e .in_use >/dev/null
yore cat --password-file two h/t:file | cmp - tree/file
run_status 11 yore cat --no-cache --password-file one h/t:file

# who only puts has learned it, since it was changed from here
echo more >>tree/file
as put
run_status 11 yore backup --password-file one --host h --source t tree
run_status 0 yore backup --password-file two --host h --source t tree
as rw
yore cat --password-file two h/t:file | cmp - tree/file

yore key export --yes --password-file two paper
yore key import -q paper --new-password-file one
id=$(yore key list --password-file two --json | jq -r 'select(.in_use).id')
yore key remove -q --password-file one "$id"
yore cat --no-cache --password-file one h/t:file | cmp - tree/file
