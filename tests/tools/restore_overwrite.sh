#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What exists is replaced only when that was asked for.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

mkdir -p tree/sub new/sub
echo snapshot >tree/one
echo snapshot >tree/sub/two
echo fresh >tree/sub/three
touch -d 2020-01-01 tree/one tree/sub/two
make_repository
yore backup -q --host h --source t tree

echo mine >new/one
echo mine >new/sub/two
touch -d 2021-01-01 new/one
touch -d 2019-01-01 new/sub/two

# a dry run tells what is in the way and touches nothing
run_status 3 yore restore -n h/t new
says err '^yore: one: exists'
says out 'would restore 3 files'
[ ! -e new/sub/three ]

# refused one by one; the rest is restored
run_status 3 yore restore h/t new
says err '^yore: sub/two: exists'
[ "$(cat new/one new/sub/two new/sub/three)" = $'mine\nmine\nfresh' ]

# newer stays, older goes
run_status 0 yore restore --overwrite=if-newer h/t new
says out 'kept 2'
[ "$(cat new/one new/sub/two)" = $'mine\nsnapshot' ]
run_status 0 yore restore --overwrite h/t new
same_tree tree new

# other kinds in the way: a directory, a symlink to one
rm -r new/sub new/one
mkdir new/one elsewhere
ln -s ../elsewhere new/sub
run_status 3 yore restore h/t new
says err 'sub: exists and is not a directory'
[ -z "$(ls elsewhere)" ]
run_status 0 yore restore --overwrite h/t new
[ -z "$(ls elsewhere)" ]
same_tree tree new

# a directory with something in it is not thrown away for a file
rm new/one
mkdir -p new/one/precious
run_status 3 yore restore --overwrite h/t new
says err '^yore: one: cannot be replaced: Directory not empty'
run_status 2 yore restore --overwrite=maybe h/t new
one_line err
