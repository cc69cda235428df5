#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of commands and mounts once more, with their repositories in a bucket:
# yore signs with a key that may only read unless it is to write.  Of the tests of
# a tree with everything in it fidelity/changes; with YORE_TEST_FULL=1 also whole,
# which has a sparse GiB read three times.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_ceph
mkdir bin
cat >bin/yore <<E
#!/bin/sh
case \$1 in
init|backup) id='${s3_rw% *}' secret='${s3_rw#* }' ;;
*) id='${s3_ro% *}' secret='${s3_ro#* }' ;;
esac
AWS_ACCESS_KEY_ID=\$id AWS_SECRET_ACCESS_KEY=\$secret \\
	exec '$top_builddir/yore' "\$@"
E
chmod +x bin/yore
export TEST_PATH=$work/bin TEST_BUCKET=$s3_bucket

# again TEST: its output is shown when it fails; skipped is no pass.
again() {
	timeout 300 bash "$top_srcdir/tests/$1" >"$work/${1//\//-}.log" 2>&1 &&
		return
	echo "$1: status $? with its repository in a bucket"
	tail -n 20 "$work/${1//\//-}.log"
	return 1
}
export -f again
export work
for name in counts/mount counts/shared fidelity/changes \
	fidelity/errors fidelity/programs fidelity/xattrs \
	${YORE_TEST_FULL:+fidelity/whole} \
	tools/addresses tools/backup_exclude tools/diff tools/json tools/list \
	tools/restore_overwrite tools/roundtrip; do
	echo $name.sh
done | xargs -P 2 -I NAME bash -c 'again NAME'
