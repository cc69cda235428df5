#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A query of a database in a snapshot costs a request for its leaf, and the way
# there next to nothing: interior pages lie together.  Whatever is wrong with
# those, answers stay right.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse
command -v sqlite3 >/dev/null || { echo 'needs sqlite3'; exit 77; }

start_server
export YORE_REPOSITORY=s3://yore/r
yore init -q --no-passphrase
mkdir tree mnt
# pages of 1 KiB make a tree of four levels of it, of 40 MB
sqlite3 tree/a.db "pragma page_size = 1024;
	create table t(id integer primary key, k text, v blob);
	with recursive c(i) as (select 1 union all select i + 1 from c
		where i < 150000)
	insert into t select i, hex(randomblob(12)), randomblob(200) from c;
	create index tk on t(k);"
cp tree/a.db tree/b.db
sqlite3 tree/b.db "pragma page_size = 4096; vacuum"
ln tree/b.db tree/linked.db
yore backup -q --host h --source t tree

rows() { # DATABASE STEP: of a few rows, each in a leaf of its own
	sqlite3 "$1" "select sum(length(v)), group_concat(id) from t where id in (
		with recursive c(i) as (select 1777 union all select i + $2
			from c where i + $2 < 150000) select i from c)"
}
# compare NAME REQUESTS: 30 rows of it
compare() {
	local right
	right=$(rows "tree/$1" 5000)
	mark
	exactly "$(rows "mnt/latest/h/t/$1" 5000)" "$right" "rows of $1"
	settle
	echo "$1: $(asked) requests, $(since | awk '{ n += $7 } END { print n }')"
	at_most "$(asked)" "$2" "requests for 30 rows of $1"
}

mount_yore -o refresh=0 mnt
for file in a.db b.db; do
	# a leaf each; the file's own map, header, schema; the first six reads,
	# which do without; the other map, frames
	compare $file 45
	cmp tree/$file mnt/latest/h/t/$file
done
umount mnt

# another snapshot, most of which is known; a file with two names
sqlite3 tree/b.db "update t set v = randomblob(300) where id % 1000 = 0"
yore backup -q --host h --source t tree
mount_yore -o refresh=0 mnt
compare linked.db 45
cmp tree/linked.db mnt/latest/h/t/linked.db
# unchanged, it is as it was
compare a.db 45
umount mnt

# an independent reader finds the same in both places
for python in python3 /usr/bin/python3; do
	"$python" -c 'import cryptography, zstandard' 2>/dev/null && break
done
"$python" "$top_srcdir/tests/golden/decode.py" bucket/r >decoded ||
	fail 'decoded otherwise'
[ "$(grep -c ' ./a.db$' decoded)" = 2 ] || fail "$(tail -n 20 decoded)"

# without them it costs more, and nothing else
pack=$(yore needs h/t:/a.db | awk '/data/ { print $NF }' | tail -n 1)
[ -n "$pack" ] || fail "$(yore needs h/t:/a.db)"
mount_yore -o refresh=0 mnt
mark
exactly "$(rows mnt/latest/h/t/a.db 5000)" "$(rows tree/a.db 5000)" rows
wanted=$(since | grep -o 'bytes=[0-9]*-[0-9]* - /yore/r/data/[^ ]*' | sort -u |
	awk -F'[=-]' '$3 - $2 > 200000' | head -n 1)
umount mnt
[ -n "$wanted" ] || fail 'no frame of interior pages was read'
from=${wanted#bytes=} object=${wanted##*/yore/}
printf '\0\0\0\0\0\0\0\0' | dd of="bucket/$object" bs=1 conv=notrunc \
	seek=$((${from%%-*} + 5000)) status=none
mount_yore -o refresh=0 mnt
mark
exactly "$(rows mnt/latest/h/t/a.db 5000)" "$(rows tree/a.db 5000)" \
	'rows without interior pages'
settle
echo "without: $(asked) requests"
[ "$(asked)" -gt 47 ] || fail 'nothing is gained by interior pages'
cmp tree/a.db mnt/latest/h/t/a.db
umount mnt
