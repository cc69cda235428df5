#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A mount over a store whose Nth call goes wrong: right bytes or EIO with a line
# that names path and object; it neither hangs nor ends.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/fault/faults.sh"
need_fuse

make_repository
bash "$top_srcdir/tests/fault/states.sh" tree 1
yore backup -q --host h --source t tree
mkdir mnt
(cd tree && find . -type f | sort | awk '/[^0-9]$/ || NR % 12 == 0') >files

# Mount with -f behind the fault; false when it would not.
mounted() {
	YORE_REPOSITORY=fault:$1:$work/repo yore mount -f mnt 2>log &
	pid=$!
	while ! mountpoint -q mnt; do
		kill -0 $pid 2>/dev/null || return 1
		sleep 0.02
	done
	mounts+=("$work/mnt")
}

# Read every file; what fails fails with EIO.
read_all() {
	local file
	errors=0
	while read -r file; do
		if timeout 30 cat "mnt/latest/h/t/$file" >out 2>err; then
			cmp -s out "tree/$file" || fail "$1: $file: WRONG BYTES"
		else
			says err 'Input/output error'
			errors=$((errors + 1))
		fi
	done <files
}

# (The kernel asks again for what it failed to read ahead: a fault that passes
# may cost nothing but the line.)
failed=0
for spec in {eio,flip,short}@{9,13,18}+ enoent@14+ {eio,flip}@{12,24} \
	delay=300@10; do
	if ! mounted "$spec"; then
		! wait $pid || fail "$spec: not mounted, without an error"
		says log '^yore'
		continue
	fi
	read_all "$spec"
	[ $errors = 0 ] || says log 'h/t.*(data|meta|idx|snap)/'
	failed=$((failed + (errors > 0)))
	yore umount mnt
	wait $pid || fail "$spec: yorefs ended with $?: $(cat log)"
done
[ $failed -gt 7 ] || fail "only $failed mounts had errors"
echo "$failed mounts had errors"
