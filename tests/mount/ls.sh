#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ls -lR` asks of each file only what the mount cannot know beforehand.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

start dirs=20 files=50
find "$home/000" "$home/big" >/dev/null
is 'lookup=0 getattr=0 readdirplus=0 ' \
	"$(cd "$home" && between lookup getattr readdirplus -- ls -lR 000 big)" \
	'ls -lR after find asks'
before=$(asked getxattr)
ls -lR "$home/000" "$home/001" "$home/big" >/dev/null
n=$(($(asked getxattr) - before))
[ $n -le 4 ] || fail "$n GETXATTRs though nothing has attributes"
stop

# attributes but no labels and no ACLs: ls still finds out with the first file
start dirs=20 files=50 xattrs=1
find "$home" >/dev/null
before=$(asked getxattr)
ls -lR "$home/000" "$home/001" "$home/big" >/dev/null
n=$(($(asked getxattr) - before))
[ $n -le 4 ] || fail "$n GETXATTRs though nothing has an ACL"
stop

# ACLs: asked of every file, once, because the kernel keeps the answers
start dirs=20 files=50 acls=1
ls -lR "$home/000" >/dev/null
before=$(asked getxattr)
ls -lR "$home/000" >/dev/null
n=$(($(asked getxattr) - before))
[ $n -le 4 ] || fail "$n GETXATTRs the second time"
ls -l "$home/xattrs/has" | grep -q '^-rw-rwx---+' || fail 'no ACL is shown'
stop
