#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Replicas of every other program are imported: what a mount of the repository
# shows then is what a mount of the replica showed, at every moment.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
need_root
need_fuse

# Moments and files: of directories that list points their points, else snapshots
states() {
	(cd "$1" && find . -path '*/points/*' -type f ! -name '*-*.raw' -o \
		-path '*/snapshots/*' -type f ! -path '*/latest/*' |
		grep -v '/generations/[^/]*/snapshots/' | LC_ALL=C sort |
		tr '\n' '\0' | xargs -0 sha256sum)
}

# import REPLICA [OPTIONS]: twice, the second time for nothing; then compare
n=0
import() {
	local replica=$1 a=$work/a$((++n)) b=$work/b$n to=$work/to$n
	shift
	yore init -q -r "$to" --no-passphrase
	yore copy -q -r "$replica" --to "$to" "$@"
	run_status 0 yore copy -r "$replica" --to "$to" "$@"
	says out '^0 copied, [0-9]+ there'
	mkdir "$a" "$b"
	mount_yore -r "$replica" "$@" "$a"
	mount_yore -r "$to" "$b"
	states "$a/sources" >a.sums
	states "$b/sources" >b.sums
	[ -s a.sums ] || fail "nothing in $replica"
	diff a.sums b.sums >differ || {
		head -n 20 differ >&2
		fail "$replica was imported otherwise"
	}
	echo "$replica: $(wc -l <a.sums) files"
	yore umount "$a"
	yore umount "$b"
}

/usr/bin/python3 "$top_srcdir/tests/foreign/others.py" all
import "$work/all"
foreign=$top_srcdir/tests/foreign
for replica in litestream05/v0.5.0 litestream05/v0.5.16 litestream03; do
	# times are those of the files, which git does not keep
	cp -a "$foreign/$replica" "$work/${replica//\//-}"
	while read -r file time _; do
		touch -d "@$time" "$work/${replica//\//-}/replica/$file"
	done <"$foreign/$replica/mtimes.tsv"
	import "$work/${replica//\//-}/replica"
done
