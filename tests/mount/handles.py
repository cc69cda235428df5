# SPDX-License-Identifier: GPL-2.0-or-later
# Takes handles of paths, or follows them to see that they lead there again:
# handles.py take|follow MOUNTPOINT FILE PATH...
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)

class Handle(ctypes.Structure):
    _fields_ = [('bytes', ctypes.c_uint), ('type', ctypes.c_int),
                ('data', ctypes.c_char * 128)]

def take(path):
    h, where = Handle(bytes=128), ctypes.c_int()
    if libc.name_to_handle_at(-100, path.encode(), ctypes.byref(h),
                              ctypes.byref(where), 0):
        raise OSError(ctypes.get_errno(), path)
    return bytes(h)

def follow(top, handle):
    h = Handle.from_buffer_copy(handle)
    fd = os.open(top, os.O_RDONLY)
    f = libc.open_by_handle_at(fd, ctypes.byref(h), 0)
    if f < 0:
        raise OSError(ctypes.get_errno(), 'open_by_handle_at')
    return f

how, top, kept, *paths = sys.argv[1:]
if how == 'take':
    open(kept, 'wb').write(b''.join(take(p) for p in paths))
    sys.exit()
handles = open(kept, 'rb').read()
for i, p in enumerate(paths):
    f = follow(top, handles[i * 136:][:136])
    assert os.fstat(f).st_ino == os.stat(p).st_ino, p
    assert not os.path.isdir(p) or os.listdir(f) == os.listdir(p), p
