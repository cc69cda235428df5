#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What was read once is read again without asking the mount anything.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

read_all() {
	tar cf - --exclude=broken --exclude=kinds . | cat
}

find_all() {
	find . -path ./broken -prune -o -path ./kinds -prune -o "$@"
}

start dirs=20 files=50
cd "$home" || exit 1

read_all | tar tf - | sort >"$scratch/names"
find_all -type f -print | sort | cmp - <(grep -v '/$' "$scratch/names") || fail 'other names'

is 'lookup=0 getattr=0 open=0 opendir=0 read=0 readdirplus=0 readdir=0 ' \
	"$(between lookup getattr open opendir read readdirplus readdir -- \
		read_all)" 'a warm tar asks'

is 'lookup=0 getattr=0 readdirplus=0 ' \
	"$(between lookup getattr readdirplus -- find_all -newer /etc/passwd -print)" \
	'a warm find asks'

# names that are not there are remembered too
ls nothing 2>/dev/null
is 'lookup=0 ' "$(between lookup -- test -e nothing)" \
	'a name known not to exist asks'

# the first of each told the kernel that there is nothing to open
[ "$(asked open)" -le 1 ] || fail "$(asked open) OPENs"
[ "$(asked opendir)" -le 1 ] || fail "$(asked opendir) OPENDIRs"
cd / && stop
