#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# File handles, as an NFS server keeps them, outlive what the kernel remembers
# of the mount, and even a remount where they name the same thing.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

cat >"$scratch/handles.py" <<'END'
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
END
handles() {
	python3 "$scratch/handles.py" "$1" "$mnt" "$scratch/kept" "${@:2}"
}

tree=$snapshots/2026-01-01T04-00-00Z
paths=("$tree/big/f000007" "$tree/big" "$tree" "$snapshots" "$mnt/sources")
start points=5
handles take "${paths[@]}"
handles follow "${paths[@]}" || fail 'at once'
forget
[ "$(asked forget)" -gt 0 ] || fail 'nothing was forgotten'
handles follow "${paths[@]}" || fail 'after the kernel forgot'
is 00004 "$(cat "$tree/point")" 'a file there'
stop

# one snapshot as the root: numbers and generations are the same again
paths=("$mnt/big/f000007" "$mnt/big" "$mnt/kinds/setuid")
start address=web1/home@2026-01-01T04:00:00Z
handles take "${paths[@]}"
stop
start address=web1/home@2026-01-01T04:00:00Z
handles follow "${paths[@]}" || fail 'after a remount'
stop
start address=web1/home@2026-01-01T05:00:00Z
handles follow "${paths[@]}" 2>"$scratch/e" && fail 'of another snapshot'
grep -q 'Errno 116' "$scratch/e" || fail "$(cat "$scratch/e")"
stop
