#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The first command of README: install what is needed, build yore, back up a
# directory twice, mount the repository and show both states.
#   tests/demo.sh [DIRECTORY]     by default a copy of /etc that it changes
# Everything happens in a scratch directory that is removed at the end; with
# YORE_BIN=DIR the programs found there are used and nothing is built (as in
# make check).
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d /var/tmp/yore-demo.XXXXXX)
mnt=mnt # in $work

finish() {
	local status=$?
	cd "$work"
	! mountpoint -q "$mnt" || yore umount "$mnt" || umount -l "$mnt" || :
	cd /
	rm -rf "$work"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() {
	printf '\n# %s\n' "$*"
}

run() {
	printf '$ %s\n' "$*"
	"$@"
}

build() {
	say 'Build (takes a minute; the log is shown when it fails)'
	"$top/tests/packages.sh" build
	cd "$top"
	{
		[ -x configure ] || autoreconf -i
		[ -f Makefile ] || ./configure
		make -j "$(nproc)" all
	} >"$work/build.log" 2>&1 || {
		tail -n 40 "$work/build.log" >&2
		exit 1
	}
	YORE_BIN=$top
}

# The directory to back up: the one named, or a copy of /etc that may change.
choose() {
	if [ -n "${1-}" ]; then
		dir=$(realpath "$1")
		return
	fi
	dir=etc # in $work
	mkdir "$work/$dir"
	cp -a /etc/. "$work/$dir" 2>/dev/null || : # what may not be read stays away
}

change() {
	if [ "$dir" = etc ]; then
		echo '192.0.2.1 yore.example' >>etc/hosts
		rm -f etc/issue
		echo 'made between the two backups' >etc/new-file
	elif [ -t 0 ]; then
		echo "Change something in $dir, then press Enter."
		read -r _
	fi
}

[ -c /dev/fuse ] || { echo 'no /dev/fuse: nothing can be mounted here'; exit 77; }
[ -n "${YORE_BIN-}" ] || build
PATH=$YORE_BIN:$PATH
export YORE_REPOSITORY=repository
unset YORE_PASSWORD YORE_PASSWORD_FILE YORE_PASSWORD_COMMAND
choose "$@"
cd "$work"
mkdir "$mnt"

say 'A repository, and two backups with a change between them'
run yore init --no-passphrase
run yore backup --host demo --source dir "$dir"
sleep 1
change
run yore backup --host demo --source dir "$dir"
run yore snapshots

say 'Both states, side by side'
run yore mount "$mnt"
run ls -l "$mnt/sources/demo/dir/snapshots"
first=$(printf '%s\n' "$mnt"/sources/demo/dir/snapshots/* | head -n 1)
latest=$mnt/sources/demo/dir/latest
run diff -r --no-dereference "$first/" "$latest/" && same=true || same=false
$same && [ "$dir" = etc ] && echo 'the second state is lost' >&2 && exit 1

say 'The newest state is the directory itself: nothing differs'
run diff -r --no-dereference "$latest/" "$dir/" && echo 'no difference'
