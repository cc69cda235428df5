#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who walks for names alone is given names alone; who looks at files gets
# their attributes with the names, whoever has walked there before.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

inodes() { awk '/^fuse_inode/ { print $2 }' /proc/slabinfo; }
sizes() { (cd "$home" && find 0* -type f -printf '%p %s %m %T@\n') | sort; }

start dirs=100 files=200
wanted=$(sizes | md5sum)
# one directory after the other is looked at: hardly anything is asked for
[ "$(asked lookup)" -lt 100 ] || fail "$(asked lookup) LOOKUPs of find -printf"
forget
asked=$(asked lookup)
ls -lR "$home"/0* >/dev/null
[ $(($(asked lookup) - asked)) -lt 100 ] || fail 'many LOOKUPs of ls -lR'
stop

# (all mounts' inodes are counted together, and there may be others)
for left in 4 3 2 1 0; do
	start dirs=100 files=200
	before=$(inodes)
	is 20000 "$(find "$home"/0* -name 'f*' | wc -l)" 'names found'
	is 20000 "$(find "$home"/0* -name 'f*' | wc -l)" 'names found again'
	after=$(inodes)
	[ $((after - before)) -ge 8000 ] || break
	[ $left != 0 ] || fail "$before, $after inodes"
	stop
done
asked=$(asked lookup)
is "$wanted" "$(sizes | md5sum)" 'attributes after a walk for names'
[ $(($(asked lookup) - asked)) -lt 500 ] ||
	fail "$(asked lookup) LOOKUPs after a walk for names"
# and now the kernel has them
asked=$(asked lookup)
is "$wanted" "$(sizes | md5sum)" 'attributes again'
is "$asked" "$(asked lookup)" 'LOOKUPs of what was looked at'
stop

# who goes from one directory to the next like a person is no walk
start dirs=12 files=100
for i in {0..11}; do
	ls "$home/$(printf %03d "$i")" >/dev/null
	sleep 0.3
done
asked=$(asked lookup)
ls -lR "$home"/0* >/dev/null
[ $(($(asked lookup) - asked)) -lt 5 ] || fail 'names only for a person'
stop
