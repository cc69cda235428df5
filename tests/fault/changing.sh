#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Files that vanish, shrink, grow or cannot be read while they are backed up:
# status 3, each is named, all else is saved.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

make_repository
mkdir -p tree/d
head -c 30000000 /dev/urandom >tree/a-slow
for i in {1..50}; do
	echo "$i" >"tree/b$i"
done
for f in gone shrinks grows replaced; do
	head -c 3000000 /dev/urandom >"tree/z-$f"
done
echo kept >tree/zz
cp -a tree/zz tree/z-small-gone
cp -a tree same

# The rate limit holds the walk back in the first file while the rest changes.
yore backup -q --host h --source t --limit-upload 8M tree 2>err &
sleep 1
rm tree/z-gone tree/z-small-gone
truncate -s 1M tree/z-shrinks
echo more >>tree/z-grows
mv same/z-replaced same/r
echo other >tree/z-new && mv tree/z-new tree/z-replaced
echo even more >>tree/a-slow
status=0
wait $! || status=$?
cat err
[ $status = 3 ] || fail "status $status"
for f in z-gone z-small-gone; do
	says err "$f: "
done
[ "$(grep -c . err)" -le 6 ] || fail 'more lines than files'
yore restore -q h/t new
[ ! -e new/z-gone ] || fail 'what had gone came back'
same tree/zz new/zz
for i in {1..50}; do
	same "tree/b$i" "new/b$i"
done

# next time all is well
yore backup -q --host h --source t tree 2>err
rm -rf new
yore restore -q h/t new
same_tree tree new
