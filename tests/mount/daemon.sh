#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# yorefs returns when the mount is ready, tells a service manager, and takes
# the options that mount(8) and fstab give it.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

yore=$top_builddir/yore
repo=$scratch/repo
mkdir "$scratch/tree" && echo one >"$scratch/tree/file"
"$yore" init -r "$repo" --no-passphrase 2>/dev/null || fail init
backup() {
	"$yore" backup -r "$repo" --host h --source "$1" "$scratch/tree" \
		>/dev/null 2>&1 || fail backup
}
backup s
echo two >"$scratch/tree/file"
backup s,1

exec 8>"$scratch/lock"
flock 8
"$yore" mount -r "$repo" "$mnt" || fail 'yore mount'
is one "$(cat "$mnt/latest/h/s/file")" 'content at once'
daemon=$(ps -e -o pid=,args= |
	awk -v m="$mnt" '$2 ~ /yorefs$/ && $NF == m { print $1 }')
grep -q '^FDSize:[[:space:]]*\(512\|[0-9]\{4,\}\)$' "/proc/$daemon/status" ||
	fail 'the table of descriptors will grow beside threads'
linked=$(readelf -d "$yore" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p')
[ "$linked" = libc.so.6 ] || fail "yore is linked with" $linked
! grep -E 'lib(curl|expat|jansson|lz4|sqlite3|z)[.-]' "/proc/$daemon/maps" ||
	fail 'a local mount has loaded what it does not need'
exec 8>&-
flock -n "$scratch/lock" true || fail 'the mount holds a lock of its starter'
is "yore:$repo fuse.yorefs" "$(awk -v m="$mnt" '$2 == m { print $1, $3 }' \
	/proc/mounts)" 'the mount'
"$yore" umount "$mnt" || fail 'yore umount'
! mountpoint -q "$mnt" || fail 'still mounted'

# as mount -t fuse.yorefs calls it
"$top_builddir/yorefs" "$repo#h/s,1@latest" "$mnt" -o rw,dev,suid,noexec,_netdev,x-systemd.automount,user=root ||
	fail 'the options of mount'
is two "$(cat "$mnt/file")" 'a snapshot as root'
awk -v m="$mnt" '$2 == m { print $4 }' /proc/mounts |
	grep -q '^ro,nosuid,nodev,noexec,noatime' || fail 'mount options'
umount "$mnt"

# -o with commas in values
"$top_builddir/yorefs" "$repo" "$mnt" -o 'source=h/s\,1,memory=64M' ||
	fail 'a comma in a name'
is two "$(cat "$mnt/latest/file")" 'that source'
umount "$mnt"

# a service manager hears when it is ready and when it ends
python3 - "$scratch/notify" "$top_builddir/yorefs" -f "$repo" "$mnt" <<'END' ||
import os, signal, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(10)
p = subprocess.Popen(sys.argv[2:], env=dict(os.environ, NOTIFY_SOCKET=sys.argv[1]))
ready = s.recv(1000).decode()
assert 'READY=1' in ready.split('\n'), ready
assert os.path.isdir(sys.argv[-1] + '/sources/h')
p.send_signal(signal.SIGTERM)
assert s.recv(1000) == b'STOPPING=1'
assert p.wait(10) == 0
END
	fail 'sd_notify'
