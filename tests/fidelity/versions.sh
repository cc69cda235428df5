#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Below versions/ each state of each path is found once, as the snapshots have
# it, whatever happened between them: told by going through all of them.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
need_root
need_fuse

make_repository
mkdir tree mnt
at=1600000000
states() {
	local i
	for ((i = $1; i <= $2; i++)); do
		python3 "$top_srcdir/tests/fidelity/versions.py" change tree "$i"
		yore backup -q --host h --source t --time "@$((at + 60 * i))" tree
	done
}
check() {
	python3 "$top_srcdir/tests/fidelity/versions.py" check mnt/sources/h/t
}

seed=${YORE_TEST_SEED:-1}
states "$((seed * 1000 + 1))" "$((seed * 1000 + ${YORE_TEST_STATES:-30}))"
mount_yore -o refresh=0 "$work/mnt"
check

# what reads trees reads them, too
find mnt/sources/h/t/versions >all
tar -cf - -C mnt/sources/h/t versions | tar -tf - >/dev/null
cp -a mnt/sources/h/t/versions copy
[ "$(wc -l <all)" = "$(find copy | wc -l)" ] || fail 'cp -a left some out'
says mnt/.yore/metrics '^yore_errors_total 0$'

# snapshots that come and go while it is mounted
states "$((seed * 1000 + 500))" "$((seed * 1000 + 504))"
yore forget -q --keep-last 25 h/t
see_again 25 h/t
check
