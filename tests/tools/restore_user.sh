#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Without root, what may not be restored is told once per kind, and nothing
# gets rights that were another's.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/tools/tree.sh"
need_root

make_tree tree
make_repository
yore backup -q --host h --source t tree
chmod -R a+rX repo
mkdir new
chown 65534:65534 new

run_status 3 setpriv --reuid 65534 --regid 65534 --clear-groups \
	yore restore h/t new/t
says err 'owner or group not restored: Operation not permitted \([0-9]+ times'
says err 'device file not restored: .* \(2 times, first block\)'
says err 'setuid or setgid bit .* first suid\)'
says err 'file capability not restored'
says err 'extended attribute not restored'
[ "$(wc -l <err)" = 5 ] || fail "$(cat err)"

# content, modes, times, user attributes are there
[ "$(stat -c %a new/t/suid)" = 755 ] || fail "suid: $(stat -c %a new/t/suid)"
[ "$(stat -c %U new/t/suid)" = nobody ]
[ ! -e new/t/char ]
same tree/random new/t/random
[ "$(stat -c %y new/t/random)" = "$(stat -c %y tree/random)" ]
[ "$(stat -c %a new/t/noaccess)" = 0 ]
getfattr -n user.note new/t/a/file | grep -q some
getfacl -p new/t/a/file | grep -q user:1234:rw-
# again over it, although directories have become read-only
run_status 3 setpriv --reuid 65534 --regid 65534 --clear-groups \
	yore restore --overwrite h/t new/t
[ "$(stat -c %a new/t/c)" = 555 ]
