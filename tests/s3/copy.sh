#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What copying from a bucket asks of it: all once, then only what is new.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

start_server
mkdir -p tree/docs tree/many
for ((i = 0; i < 3000; i++)); do echo "file $i" "$(seq $i $((i + 60)))" >tree/many/$i; done
for ((i = 0; i < 20; i++)); do head -c 900000 /dev/urandom >tree/docs/$i; done
cp tree/docs/7 tree/again
export YORE_REPOSITORY=s3://yore/from
yore init -q --no-passphrase
yore backup -q --host h --source t tree
stored=$(du -sb bucket | cut -f1)
yore init -q --no-passphrase -r to
copy() { yore copy --to "$work/to" "$@" >out; }

# bytes_asked: of the answers since mark (see journal.h)
bytes_asked() {
	since | awk '$4 == "GET" { n += $7 } END { print n + 0 }'
}
mark
copy
at_most "$(bytes_asked)" $((stored * 11 / 10)) 'bytes of a first copy'
at_most "$(asked GET)" 120 'GETs of a first copy'
exactly "$(asked PUT)" 0 'PUTs'

# nothing new: no content, no page of a tree
mark
copy
at_most "$(asked GET data/)" 0 'content read for nothing'
at_most "$(asked)" 25 'requests of nothing new'

# one file of many, one chunk of a big one
echo changed >tree/many/77
printf changed | dd of=tree/docs/3 bs=1 seek=100000 conv=notrunc status=none
mv tree/docs/5 tree/docs/moved
yore backup -q --host h --source t tree
mark
copy
at_most "$(asked GET data/)" 14 'GETs of content'
at_most "$(bytes_asked)" 4000000 'bytes of a little change'
mkdir a b
mount_yore a
mount_yore -r to b
for time in a/sources/h/t/snapshots/*; do
	same_tree "$time" "b/sources/h/t/snapshots/${time##*/}"
done
