#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# diff tells what was added, removed and changed, and how.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

make_repository
mkdir -p tree/{gone/below,stays}
for name in same grows mode gone/below/file kind; do
	echo one >tree/$name
done
echo 12345 >tree/silent
ln -s here tree/soft
touch -d 2020-01-01 tree/silent
yore backup -q --host h --source t --time 2025-01-01 tree

rm -r tree/gone tree/kind
mkdir tree/kind
echo two >>tree/grows
touch -r tree/same tree/grows
chmod 600 tree/mode
ln -sfn there tree/soft
touch -h -r tree/same tree/soft
echo 54321 >tree/silent
touch -d 2020-01-01 tree/silent
echo new >tree/stays/new
setfattr -n user.a -v b tree/same
yore backup -q --host h --source t --time 2025-01-02 tree

cat >expected <<'EOP'
- gone/
- gone/below/
- gone/below/file
M grows (size 4 -> 8, mtime)
- kind
+ kind/
M mode (mode 0644 -> 0600)
M same (xattrs)
M soft (mtime, target)
+ stays/new
EOP
# times of the files that this test made within one tick may be equal
compare() {
	run_status 0 "$@"
	sed -i -E 's/^M (grows|soft).*/M \1/' out expected
	diff expected out || fail "$*"
}
compare yore diff h/t@2025-01-01 h/t@2025-01-02
compare yore diff h/t@2025-01-01 ./tree
# the same size and time: only the content tells
sed -i 's/^M soft/M silent (content)\n&/' expected
compare yore diff -c h/t@2025-01-01 "$work/tree"

run_status 0 yore diff h/t h/t
[ ! -s out ]
run_status 0 yore diff h/t@2025-01-01:gone h/t:stays
printf '%s\n' '- below/' '- below/file' '+ new' | diff - out
run_status 0 yore diff --json h/t@2025-01-01 h/t
jq -se '.[-1].type == "summary" and .[-1].removed == 4' out >/dev/null
run_status 1 yore diff h/t ./nowhere
one_line err
