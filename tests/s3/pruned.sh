#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A backup into a bucket that stands still while what it refers to is pruned:
# its snapshot is withdrawn, from the catalogs and from what is kept here, too.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

states=$top_builddir/tests/upkeep/states
stopped=$top_builddir/tests/upkeep/stopped
mkdir tree bucket
head -c 3000000 /dev/urandom >tree/big
yore init -q --no-passphrase -r bucket/r
start_server
export YORE_REPOSITORY=s3://yore/r
backup() { yore backup -q --host h --source t tree; }
listed() { yore snapshots | grep -c h/t || true; }
restores() {
	rm -rf new
	yore restore -q h/t new && same_tree tree new
}

# as prune would, for packs of the newest snapshot, but for deleting them: the
# server knows only what it was told to delete
cat >pruned <<'EOF'
victims=$(cd bucket/r && find data -type f | sed 's/^/KIND /')
"$states" put s3://yore/r ${victims//KIND/condemn}
"$states" put s3://yore/r ${victims//KIND/sentence}
EOF
export states

backup
n=1
for when in begun before after; do
	echo $when >tree/small
	status=0
	"$stopped" s3://yore/r tree $when 'bash -e pruned' 2>err || status=$?
	[ $status = 1 ] || fail "$when: a snapshot was made"
	one_line err
	says err 'was pruned meanwhile: run it again'
	[ "$(listed)" = $n ] || fail "$when: it is listed"
	exactly "$(find bucket/r/snap -type f | wc -l)" $n records
	backup
	n=$((n + 1))
	[ "$(listed)" = $n ] || fail "$when: the next one is not listed"
	restores
done

# a key that may not remove it: it stays, and the error says so
echo kept >tree/small
server 'fault DELETE r/snap* 1+ 403'
"$stopped" s3://yore/r tree after 'bash -e pruned' 2>err && fail "a snapshot was made"
one_line err
says err 'was pruned meanwhile: .* may not be whole and cannot be removed: .*r/snap/'
backup
restores
