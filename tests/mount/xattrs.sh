#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Attributes are those of the backup; user.yore.* are answered, never listed.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

# print the value of an attribute, or the name of the error
attr() {
	python3 -c 'import errno, os, sys
try:
    print(os.getxattr(sys.argv[1], sys.argv[2]).decode("latin1"))
except OSError as e:
    print(errno.errorcode[e.errno])' "$1" "$2"
}

start points=5
is ENOTSUP "$(attr "$home/point" user.colour)" 'where there are none'
is ENOTSUP "$(attr "$home/point" security.selinux)" 'labels likewise'
is ENOTSUP "$(attr "$home" system.posix_acl_access)" 'ACLs likewise'
is 0000000200000005 "$(attr "$home" user.yore.id)" id
is 0000000200000005 "$(attr "$home/big/f000001" user.yore.id)" 'id of a file'
is 2026-01-01T05-00-00Z "$(attr "$home" user.yore.time)" time
is web1/home "$(attr "$home" user.yore.source)" source
is even "$(attr "$mnt/at/2026-01-01T04:10Z/web1/home" user.yore.tags)" tags
is "$(($(find "$home" -path '*/broken/*' -prune -o -printf . | wc -c) + 13 - 1))" \
	"$(attr "$home" user.yore.totals.entries)" entries
is 1700000000.123456789 "$(attr "$home" user.yore.totals.newest)" newest
is ENODATA "$(attr "$home/point" user.yore.totals.files)" 'totals of a file'
is ENODATA "$(attr "$home" user.yore.nothing)" 'an unknown one'
is ENODATA "$(attr "$mnt/sources" user.yore.id)" 'a virtual directory'
is '' "$(getfattr -dm- "$home" "$home/point" 2>&1)" 'what is listed'
stop

start xattrs=1
is red "$(attr "$home/xattrs/has" user.colour)" 'a value'
is ENODATA "$(attr "$home/xattrs/has" user.size)" 'another name'
is ENODATA "$(attr "$home/point" user.colour)" 'a file without'
is ENOTSUP "$(attr "$home/point" system.posix_acl_access)" 'no ACLs anywhere'
is user.colour= "$(getfattr -dm- --absolute-names "$home/xattrs/has" |
	grep -o '^[^#]*=')" 'what is listed'
stop
