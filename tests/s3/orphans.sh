#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a run left that was refused its segment is used by the next, as far as it
# is still there; what lies in a copy of the repository is nobody else's.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

mkdir tree bucket
head -c 50000000 /dev/urandom >tree/big
# backup CELL: how much it stores
backup() {
	yore backup --json -r "s3://yore/$1" --host h --source t tree 2>err |
		grep summary | jq .stored_bytes
}
restores() {
	rm -rf new
	yore restore -q -r "s3://yore/$1" h/t new && same_tree tree new
}

yore init -q --no-passphrase -r bucket/a
cp -r bucket/a bucket/b
start_server
echo first >tree/small
backup a >/dev/null
backup b >/dev/null
head -c 50000000 /dev/urandom >tree/big
server 'fault PUT a/idx* 1 403'
backup a >/dev/null && fail "a segment was refused, and nobody noticed"

# a copy of the repository does not have those packs
[ "$(backup b)" -ge 50000000 ] || fail 'packs of another copy are used'
restores b
# one of two was lost meanwhile
rm "$(find bucket/a/data -size +30M -newer tree/big | head -n1)"
stored=$(backup a)
[ "$stored" -ge 30000000 ] || fail 'a pack that is gone is used'
[ "$stored" -le 45000000 ] || fail 'a pack that is there is stored again'
restores a
