#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Without idx/ and cat/ a repository is read as before; yore rebuild makes both
# again from packs and records, and check finds nothing wrong then.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

make_repository
mkdir -p src/a
for n in 1 2 3; do
	head -c 300000 /dev/urandom >src/a/$n
	seq $((n * 1000)) >src/number
	yore backup -q --host h --source s src
done
run_status 0 yore rebuild
says out 'nothing to do'
cp -r repo whole
# whole_again: and nobody remembers that there was more
whole_again() {
	rm -rf repo home/.local/state
	cp -r whole repo
}

# All of it: everything reads, a dry run writes nothing.
rm -r repo/idx repo/cat
run_status 5 yore check
says out 'idx/: the index does not know'
yore restore -q h/s out1
same_tree src out1
find repo -type f | sort >before
run_status 0 yore rebuild
says out 'index: lacks .*: to be written with --write'
says out 'catalogs: lack 3 snapshots: to be written'
find repo -type f | sort | cmp - before
run_status 0 yore rebuild --write
run_status 0 yore check --read-data
says out 'nothing is wrong'
run_status 0 yore rebuild
says out 'nothing to do'
[ "$(find repo/idx repo/cat -type f | wc -l)" = 2 ] || fail 'more than two'
# what was stored is found again: nothing is stored twice
yore backup -q --json --force --host h --source s src >out
[ "$(jq 'select(.type == "summary").new_bytes' out)" = 0 ] ||
	fail 'a chunk was stored again'

# A damaged segment is superseded, not removed.
whole_again
segment=$(find repo/idx -type f | sort | head -n 1)
damage "$segment" 100
run_status 4 yore check
run_status 0 yore rebuild --write
[ -f "$segment" ] || fail 'it was removed'
run_status 0 yore check

# A pack whose table and index are lost is read by its frames.
whole_again
pack=$(find repo/data -type f -size +200k | sort | head -n 1)
damage "$pack" $(($(stat -c %s "$pack") - 60))
rm -r repo/idx
run_status 0 yore rebuild --write
says err 'its table of contents is lost'
run_status 4 yore check --read-data --no-mark
says out 'everything can be read$'
yore restore -q h/s out2
same_tree src out2
