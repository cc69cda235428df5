#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Refusals have the right names, and what is damaged is reported once.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

start
cd "$home" || exit 1

# run a Python expression; prints the name of the error it raises
error_of() {
	python3 - "$@" <<'END'
import errno, fcntl, os, sys
try:
    exec(sys.argv[1])
    print('none')
except OSError as e:
    print(errno.errorcode[e.errno])
END
}
is EROFS "$(error_of 'open("new", "w")')" 'creating'
is EROFS "$(error_of 'open("point", "r+")')" 'writing'
is EROFS "$(error_of 'os.mkdir("d")')" 'mkdir'
is EROFS "$(error_of 'os.unlink("point")')" 'unlink'
is EROFS "$(error_of 'os.rename("point", "q")')" 'rename'
is EROFS "$(error_of 'os.chmod("point", 0o777)')" 'chmod'
is EROFS "$(error_of 'os.utime("point")')" 'utime'
is EROFS "$(error_of 'os.setxattr("point", "user.x", b"")')" 'setxattr'
is ENOTTY "$(error_of 'fcntl.ioctl(open("point"), 0x5401, bytes(64))')" ioctl
is EISDIR "$(error_of 'open(".", "r+")')" 'opening a directory'
is ENOTDIR "$(error_of 'os.listdir("point")')" 'listing a file'
is EINVAL "$(error_of 'os.readlink("point")')" 'readlink of a file'

# damage: EIO, for this file only, however often
for _ in 1 2; do
	is EIO "$(error_of 'open("broken/read").read()')" 'a damaged file'
	is EIO "$(error_of 'os.readlink("broken/link")')" 'a damaged symlink'
	is EIO "$(error_of 'os.listdir("broken/dir")')" 'a damaged directory'
done
is 5 "$(ls broken/dir 2>/dev/null | wc -l)" 'what can still be listed'
is 0 "$(readlink kinds/symlink | tr -d 't\n' | wc -c)" 'another symlink'
is 10000 "$(wc -c <000/f000000)" 'another file'
for name in read link dir; do
	is 1 "$(grep -c "latest/web1/home/broken/$name: object fake/$name" \
		"$log")" "lines about broken/$name"
done
cd / && stop
