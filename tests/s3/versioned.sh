#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A bucket with versioning: what is removed there stays as a version that is not
# current, and yore sees nothing of it, whatever it removes and puts again.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_ceph
status=$(status_of PUT '/?versioning=' -H 'Content-Type: application/xml' -d \
	'<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>')
[ "$status" = 200 ] || fail "versioning: $status $(cat body)"

export YORE_REPOSITORY=s3://yore/r
prune() { yore prune -q --grace 1s --unsafe-grace; }
# versions PREFIX: of objects below it that are not current, removed or not
versions() {
	status_of GET "/?max-keys=1000&prefix=r%2F$1%2F&versions=" >/dev/null
	grep -o '<IsLatest>false' body | wc -l
}
whole() {
	rm -rf back
	yore restore -q h/t@latest back
	same_tree tree back
	yore check -q --read-data || fail "check: $?"
}

yore init -q --no-passphrase
mkdir tree
for i in 1 2 3; do
	head -c 700000 /dev/urandom >tree/big
	yore backup -q --host h --source t --time @160000000$i tree
done
# away, back under the same names, and away again
yore forget -q --keep-last 1
yore forget -q --undo
exactly "$(yore snapshots | sed 1d | wc -l)" 3 'snapshots after undo'
whole
yore forget -q --keep-last 1
for _ in 1 2 3; do
	prune
	sleep 1.1
done
exactly "$(yore snapshots | sed 1d | wc -l)" 1 'snapshots after all'
[ "$(versions data)" -ge 2 ] || fail "$(versions data) packs are not current"
[ "$(versions snap)" -ge 2 ] || fail "$(versions snap) records are not current"
whole
echo more >tree/more
yore backup -q --host h --source t tree
whole
