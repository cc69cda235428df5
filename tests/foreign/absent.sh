#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a replica has and is not shown is said: in .yore/log of a mount, and by the
# commands; what is refused, is refused by name.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/foreign/litestream05.sh"
need_root
need_fuse
command -v busybox >/dev/null || { echo 'needs busybox'; exit 77; }

mkdir mnt
# a TXID that is missing; a generation without a snapshot; a damaged file
replica v0.5.16 all/gap.db
rm all/gap.db/ltx/[129]/* all/gap.db/ltx/0/000000000000000f-*
mkdir -p all/older.db/generations
cp -r "$given/../litestream03/replica/generations/"* all/older.db/generations
chmod -R u+w all/older.db
rm all/older.db/generations/659262bdca7d241d/snapshots/*
damage all/older.db/generations/10fecc8c20264bfa/wal/00000001_0000a110.wal.lz4 100
/usr/bin/python3 "$top_srcdir/tests/foreign/others.py" all
# a torn snapshot
snapshots=all/sqlite/orders/snapshots
/usr/bin/python3 - "$snapshots" <<'P'
import sys, zstandard
at = sys.argv[1] + '/20261005_1%s.sqlite.zst'
with open(at % '20010', 'rb') as f:
    whole = zstandard.ZstdDecompressor().decompressobj().decompress(f.read())
with open(at % '30000', 'wb') as f:
    f.write(zstandard.ZstdCompressor().compress(whole[:20480]))
P
mount_yore -r all mnt 2>said
refused() {
	! cat "$1" >/dev/null 2>err || fail "$1 can be read"
	says err 'Input/output error'
}
refused mnt/latest/litestream/gap.db/gap.db
refused mnt/by-id/10fecc8c20264bfa-00000001/older.db
refused mnt/at/2026-10-05T14:00/zlayer/orders/orders
for why in 'warning: .*gap.db: TXID 000000000000000f is missing, so what came after it, up to TXID 0000000000000024,' \
	'659262bdca7d241d has no snapshot: nothing of it can be shown' \
	'00000001_0000a110.wal.lz4: ' \
	'warning: .*1791249000 was not finished' \
	'20261005_130000.sqlite.zst is no sound database: 20480 bytes long'; do
	says mnt/.yore/log "^20[0-9T:Z-]+ .*$why"
done
yore umount mnt

# the commands
run_status 0 yore snapshots -r all/older.db
says err '659262bdca7d241d has no snapshot'
run_status 1 yore cat -r all/gap.db litestream/gap.db:gap.db
says err 'TXID 000000000000000f is missing'
mkdir -p lite/db/ltx
cp all/gap.db/ltx/0/0*1-0*1.ltx lite/db/ltx
run_status 1 yore ls -r lite
one_line err
says err 'lite/db/ has LTX files without levels'
mkdir age
cp -r all/older.db/generations age
printf 'age-encryption.org/v1\n...' | tee \
	age/generations/10fecc8c20264bfa/snapshots/*.lz4 >/dev/null
run_status 1 yore cat -r age litestream-0.3/age@10fecc8c20264bfa-00000000:age
says err 'is encrypted with age'
# a web server that says what it has to nobody
for ((port = 20000 + $$ % 9000;; port++)); do
	busybox httpd -p 127.0.0.1:$port -f -h all 2>/dev/null &
	servers+=($!)
	for _ in {1..100}; do
		kill -0 $! 2>/dev/null || continue 2
		! curl -sf "http://127.0.0.1:$port/backups/shop/LATEST" \
			>/dev/null || break 2
		sleep 0.05
	done
done
run_status 10 yore ls -r "http://127.0.0.1:$port/gap.db"
one_line err
says err 'no yore repository there; a web server lists nothing'
run_status 1 yore ls -r "http://127.0.0.1:$port/gap.db" --format litestream
says err 'give their bucket'
