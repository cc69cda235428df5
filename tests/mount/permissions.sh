#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# With allow_other the kernel checks modes, and ACLs never widen access.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

chmod 755 "$scratch"
as() {
	setpriv --reuid="$1" --regid="$2" --clear-groups -- "${@:3}"
}
may_read() {
	as "$1" "$2" cat "$home/xattrs/has" >/dev/null 2>&1
}

# without allow_other nobody else comes in, whatever the modes say
start acls=1
as 1000 1000 ls "$mnt" 2>/dev/null && fail 'another user came in'
stop

# has: rw-rwx--- root root, its ACL: user 1000 rwx, group r--, mask rwx
start acls=1 allow_other=1
awk -v m="$mnt" '$2 == m { print $4 }' /proc/mounts |
	grep -q '^ro,nosuid,nodev.*default_permissions.*allow_other' ||
	fail 'mount options'
is 670 "$(stat -c %a "$home/xattrs/has")" 'mode with an ACL'
may_read 1000 1000 || fail 'the user the ACL names may not read'
may_read 1001 0 || fail 'the group may not read'
may_read 1001 1001 && fail 'others may read'
as 1001 0 test -x "$home/xattrs/has" && fail 'the group has the mask'
stop

# an ACL that came after the mount was made is not enforced, so the group
# bits, which are its mask, must not be believed
start acls=2 allow_other=1
is 640 "$(stat -c %a "$home/xattrs/has")" 'mode of an ACL not enforced'
may_read 1001 0 || fail 'the group may not read'
as 1001 0 test -x "$home/xattrs/has" && fail 'the group has the mask'
is 644 "$(stat -c %a "$home/xattrs/f000001")" 'mode without an ACL'
stop
