#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Versions and who may see them, names that are in their way, handles of files
# in them, what is forgotten while it is read.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
need_root
need_fuse

make_repository
mkdir tree mnt
at=1600000000
# state COMMAND: run it in the tree, then back up; one a minute
state() {
	(cd tree && eval "$1")
	at=$((at + 60))
	yore backup -q --host h --source t --time "@$at" tree
}
as() { setpriv --reuid="$1" --regid="$1" --clear-groups -- "${@:2}"; }
v=$work/mnt/sources/h/t/versions
t1=2020-09-13T12-27-40Z t2=2020-09-13T12-28-40Z t3=2020-09-13T12-29-40Z

state 'mkdir secret acl given; echo 1 >secret/file; echo 1 >acl/file
	echo 1 >given/file; chown 1000:1000 secret secret/file
	ln -s one link; echo file >turns; chmod 755 .'
state "chmod 700 secret; setfacl -m u:1001:- acl; chown 1000 given
	ln -sfn two link; rm turns; mkdir turns; echo child >turns/$t1
	echo other >turns/$t2; echo z >turns/file.tar.gz; : >turns/.versions"
state 'chmod 755 secret; setfacl -b acl; chown 0 given; echo 2 >secret/file'
mount_yore -o refresh=0,allow_other "$work/mnt"

# a directory of versions lets in whom each snapshot's would
for dir in secret acl given; do
	as 1001 cat "mnt/sources/h/t/snapshots/$t1/$dir/file" >/dev/null
	! as 1001 ls "$v/$dir/file" 2>/dev/null || fail "$dir lets others in"
	cat "$v/$dir/file/$t1" >/dev/null
done
[ "$(as 1000 cat "$v"/secret/file/*)" = $'1\n2' ] || fail 'not its owner'
[ "$(stat -c '%a %u' "$v/secret")" = '500 1000' ] || fail "$(stat "$v/secret")"
as 1001 ls "$v/turns" >/dev/null

# symlinks; names that are also those of versions
[ "$(readlink "$v"/link/*)" = $'one\ntwo' ] || fail 'symlinks'
[ "$(ls "$v/turns")" = "$t1"$'\nfile.tar.gz' ] || fail "$(ls "$v/turns")"
[ "$(cat "$v/turns/$t1")" = file ] || fail 'what was a file'
[ "$(cat "$v/turns/$t2/$t2")" = other ] || fail 'what is hidden by a tree'
[ "$(ls "$v/turns/file.tar.gz")" = "$t2.tar.gz" ] || fail 'an ending'
same "$v/turns/file.tar.gz/$t2" "$v/turns/file.tar.gz/$t2.tar.gz"
for absent in "turns/$t3" "turns/$t2.gz" turns/nothing "link/$t3" "$t1/turns/x" \
	"turns/file.tar.gz/$t1.tar.gz"; do
	[ ! -e "$v/$absent" ] || fail "$absent exists"
done

# one file, whichever way it is reached; and the way up from a tree
[ "$(stat -c %i "$v/secret/file/$t1")" = \
	"$(stat -c %i "mnt/sources/h/t/snapshots/$t1/secret/file")" ]
(cd "$v/turns/.versions/$t2" && [ "$(ls ..)" = "$t1"$'\n'"$t2" ])
handles() {
	python3 "$top_srcdir/tests/mount/handles.py" "$1" mnt kept \
		"$v/secret/file/$t1" "$v/turns/$t2/file.tar.gz" "$v/turns/$t2" \
		"$v/turns"
}
handles take
mount -i -o remount,ro "$work/mnt"
handles follow

# the snapshot that gave a version its name goes; who has it open reads on
exec 3<"$v/secret/file/$t1"
yore forget -q --keep-last 2 h/t
see_again 2 h/t
[ "$(ls "$v/secret/file")" = "$t2"$'\n'"$t3" ] || fail "$(ls "$v/secret/file")"
[ ! -e "$v/secret/file/$t1" ] || fail 'a version of a snapshot that is gone'
[ "$(cat <&3)" = 1 ] || fail 'what was open'
exec 3<&-
