#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The root secret on paper brings a repository back whose slots are all lost.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

for secret in one two seal; do echo $secret >$secret; done
export YORE_REPOSITORY=$work/repo
yore init -q --password-file one
mkdir tree && echo content >tree/file
yore backup -q --password-file one --host h --source t tree

# not without consent, into a new file for the user alone
run_status 2 setsid yore key export --password-file one paper
[ ! -e paper ]
yore key export --password-file one --yes paper
[ "$(stat -c %a paper)" = 600 ]
run_status 1 yore key export --password-file one --yes paper
yore key export --password-file one --yes - | cmp - paper
yore key export --password-file one --new-password-file seal sealed
says sealed '^kind sealed$'
! grep -qF "$(sed -n 4p paper | cut -c4-22)" sealed || fail 'not sealed'

rm -f repo/keys/*
run_status 11 yore ls --password-file one h/t
says err 'no key slots'
# typed by hand: case, spaces and comments do not matter; mistakes are found
{ echo '# from the safe'; tr a-f A-F <paper | sed 's/^Y/y/; 1,3d; s/ /  /g'; } >typed
{ sed 3q paper; tail -n +2 typed | sed 's/SUm/sum/'; } >all
sed '4s/\(.*\)[0-9a-f]\( .*\)/\1x\2/' paper >wrong
run_status 1 yore key import wrong --new-password-file two
says err 'line 4: mistyped'
sed 4d paper >short
run_status 1 yore key import short --new-password-file two
says err 'line 4'
run_status 1 yore key import tree/file --new-password-file two
says err 'no paper key'
yore init -q -r other --no-passphrase
run_status 1 yore key import -r other paper --new-password-file two
says err 'another repository'

run_status 0 yore key import all --new-password-file two
yore cat --password-file two h/t:file | cmp - tree/file
rm -f repo/keys/*
run_status 11 yore key import sealed --password-file one --new-password-file two
says err 'wrong secret'
[ -z "$(ls repo/keys)" ]
run_status 0 yore key import sealed --password-file seal --new-password-file one
yore cat --password-file one h/t:file | cmp - tree/file
