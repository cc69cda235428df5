#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# snapshots, ls, find, stats: what they print.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

make_repository
mkdir -p tree/sub/deeper
echo hello >tree/sub/file.txt
head -c 5000 /dev/zero >tree/sub/deeper/Zeros
ln -s sub/file.txt tree/link
printf x >$'tree/\e[31mred\n'
chmod 640 tree/sub/file.txt
touch -d '2020-05-06 07:08:09' tree/sub/file.txt
touch -d '3 days ago' tree/sub/deeper/Zeros
yore backup -q --host h --source t -t first -t keep tree
rm tree/link
yore backup -q --host h --source t tree

# prints EXPECTED COMMAND...
prints() {
	printf '%b' "$1" >expected
	shift
	run_status 0 "$@"
	diff expected out || fail "$*"
}
prints 'h/t\n' yore ls
prints '\\x1b[31mred\\x0a\nsub\n' yore ls h/t
prints 'deeper\nfile.txt\n' yore ls h/t:sub
prints 'sub/file.txt\n' yore ls h/t:sub/file.txt
prints 'deeper\ndeeper/Zeros\nfile.txt\n' yore ls -R h/t:sub
prints '\e[31mred\n\0sub\0' yore ls -0 h/t
run_status 0 yore ls -l h/t:sub
says out '^-rw-r----- +1 .* 6 2020-05-06 07:08 file.txt$'
first=$(yore snapshots --json | jq -r .snapshot | head -1)
run_status 0 yore ls -l "h/t@$first"
says out 'link -> sub/file.txt$'

prints 'sub/file.txt\n' yore find -name '*.txt' h/t
prints 'sub/deeper/Zeros\n' yore find -iname 'zer*' -type f -size +4k h/t
prints 'sub\nsub/deeper\n' yore find -type d h/t
prints 'sub/deeper/Zeros\n' yore find -mtime 3 h/t
prints 'sub/file.txt\n' yore find -type f -older 2021-01-01 h/t
prints 'sub/deeper/Zeros\n' yore find -path 'sub/*' -newer 2021-01-01 \
	-type f h/t:sub
prints "h/t@$first:link\n" yore find --all -type l
run_status 2 yore find -size big h/t
one_line err

run_status 0 yore snapshots -t keep
says out "^$first .* h/t  \[first,keep\]$"
[ "$(wc -l <out)" = 2 ]
prints '2\n' bash -c 'yore snapshots --json | wc -l'
prints '1\n' bash -c 'yore snapshots --json -n 1 h/t | wc -l'
run_status 0 yore stats
says out '^2 snapshots of .* to 1\), [0-9]+ objects$'
