#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the versions of a file cost, of a bucket and cold, grows with how often
# it changed, and hardly with the number of snapshots; what was asked is not
# asked again, and new snapshots cost as much as they bring.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

mkdir -p bucket tree/a/b/c mnt
for d in tree tree/a tree/a/b tree/a/b/c; do
	for i in {1..100}; do echo "$i" >"$d/f$i"; done
done
at=1600000000
# version TEXT N: it is in N snapshots
version() {
	echo "$1" >tree/a/b/c/file.txt
	yore backup -q -r bucket/r --host h --source t --time "@$at" tree
	"$top_builddir/tests/s3/many" bucket/r $(($2 - 1))
	at=$((at + 60 * $2))
}
# serve: what is below $work/bucket, as it is now
serve() {
	[ ${#servers[@]} = 0 ] || kill "${servers[@]}"
	servers=()
	rm -f server.log
	start_server
}
# cost WHAT WANTED COMMAND...: at most so many requests; sets n
cost() {
	local what=$1 wanted=$2
	shift 2
	mark
	"$@" >out
	n=$(asked)
	echo "$what: $n requests ($(asked GET snap) records)," \
		"$(since | awk '{ n += $7 } END { print n + 0 }') bytes"
	at_most "$n" "$wanted" "requests of $what"
}
file=mnt/sources/h/t/versions/a/b/c/file.txt
# cold SNAPSHOTS WANTED: of a mount that knows nothing
cold() {
	serve
	mount_yore -r s3://yore/r -o refresh=0 "$work/mnt"
	exactly "$(ls mnt/sources/h/t/snapshots | wc -l)" "$1" snapshots
	cost "4 versions in $1 snapshots" "$2" ls -l $file
	exactly "$(grep -c ' 2020-.*Z.txt$' out)" 4 versions
}

yore init -q --no-passphrase -r bucket/r
for i in 1 22 333 4444; do version $i 50; done
cold 200 34
few=$n
cost 'the same again' 0 ls -l $file
cost 'names beside it' 6 ls mnt/sources/h/t/versions/a/b
cost 'to read them' 8 sh -c "cat $file/*"
exactly "$(sort -u out | wc -l)" 4 'contents'
cost 'another file there, unchanged' 4 ls mnt/sources/h/t/versions/a/b/c/f7
cost 'the directory' $((few + 20)) ls mnt/sources/h/t/versions/a/.versions
exactly "$(wc -l <out)" 4 'versions of the directory'
cost 'what never was' 0 test ! -e mnt/sources/h/t/versions/a/b/x
yore umount mnt

"$top_builddir/tests/s3/many" bucket/r 1800
cold 2000 $((few + 12))
cost 'by the command' $((few + 20)) yore versions -r s3://yore/r \
	h/t:a/b/c/file.txt
exactly "$(wc -l <out)" 5 'lines'

echo 55555 >tree/a/b/c/file.txt
yore backup -q -r s3://yore/r --host h --source t tree
see_again 2001 h/t
cost 'a fifth in one more' 2 ls $file
exactly "$(wc -l <out)" 5 'versions then'
