#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a mounted tree refuses, and how; what df says of it.
. "${top_srcdir:-.}/tests/fidelity/same.sh" || exit 1
need_root
need_fuse

mkdir -p tree/dir mnt
echo content >tree/file
ln -s file tree/link
truncate -s 3M tree/dir/large
setfattr -n user.some -v value tree/dir # where nothing has any, it is ENOTSUP
make_repository
yore backup -q --host h --source tree tree
mount_yore mnt

python3 - mnt/latest/h/tree <<'P'
import errno, fcntl, os, sys
os.chdir(sys.argv[1])

def refused(wanted, call, *args, **more):
    try:
        call(*args, **more)
    except OSError as e:
        assert e.errno == wanted, (call.__name__, args, e)
        return
    raise AssertionError('%s%r succeeded' % (call.__name__, args))

fd = os.open('file', os.O_RDONLY)
refused(errno.EROFS, os.open, 'file', os.O_WRONLY)
refused(errno.EROFS, os.open, 'new', os.O_CREAT | os.O_WRONLY)
refused(errno.EROFS, os.mkdir, 'new')
refused(errno.EROFS, os.mkfifo, 'new')
refused(errno.EROFS, os.unlink, 'file')
refused(errno.EROFS, os.rmdir, 'dir')
refused(errno.EROFS, os.rename, 'file', 'other')
refused(errno.EROFS, os.link, 'file', 'other')
refused(errno.EROFS, os.symlink, 'file', 'other')
refused(errno.EROFS, os.truncate, 'file', 1)
refused(errno.EROFS, os.chmod, 'file', 0o600)
refused(errno.EROFS, os.chown, 'file', 1, 1)
refused(errno.EROFS, os.utime, 'file', (1, 1))
refused(errno.EROFS, os.setxattr, 'file', 'user.x', b'v')
refused(errno.EROFS, os.removexattr, 'file', 'user.x')
refused(errno.ENODATA, os.getxattr, 'file', 'user.none')
refused(errno.ENODATA, os.getxattr, 'dir', 'user.none')
refused(errno.ENOTTY, fcntl.ioctl, fd, 0x5401)
refused(errno.ENOTTY, fcntl.ioctl, fd, 0x12345678)
refused(errno.ENOENT, os.stat, 'none')
refused(errno.ENOTDIR, os.stat, 'file/none')
refused(errno.EISDIR, os.read, os.open('dir', os.O_RDONLY), 1)
refused(errno.ENAMETOOLONG, os.stat, 'n' * 256)
refused(errno.EINVAL, os.readlink, 'file')
refused(errno.ENXIO, os.lseek, fd, 8, os.SEEK_DATA)
assert os.lseek(fd, 0, os.SEEK_HOLE) == 8
assert os.listxattr('file') == []
assert os.pread(fd, 10, 8) == b''
assert os.access('file', os.R_OK) and not os.access('file', os.W_OK)

v = os.statvfs('.')
assert v.f_blocks * v.f_frsize >= 3 << 20, v
assert v.f_files >= 4 and v.f_bavail == 0 and v.f_ffree == 0, v
assert v.f_namemax == 255 and v.f_flag & os.ST_RDONLY, v
P
