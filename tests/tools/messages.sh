#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What goes wrong is said in one line that names the thing, the reason and,
# where there is one, the way out; with the status that yore(1) promises.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

mkdir tree tree/d empty
echo one >tree/a
head -c 200000 /dev/urandom >tree/big
make_repository
yore backup -q --host h --source t tree

# said STATUS LINE COMMAND...
said() {
	run_status "$1" "${@:3}"
	one_line err
	says err "^yore: $2\$"
}
said 10 'none does not exist; `yore init -r none` makes a .*' yore ls -r none
said 10 'empty: no yore repository there; `yore init .*' yore ls -r empty
said 10 'cannot open tree/a: Not a directory' yore ls -r tree/a
said 1 'ftp://a/b: no kind of repository: .*' yore ls -r ftp://a/b
said 1 '.*/tree/a is not a directory: back up the one it .*' yore backup tree/a
said 1 'no source .*/tree: there is h/t; for the .* write \./tree' \
	yore diff h/t tree
said 1 'no source h/u: there is h/t' yore snapshots h/u
[ ! -s out ] || fail 'a heading of nothing'
said 2 'options stand behind the command: yore COMMAND -r \.\.\.' yore -r repo ls
said 2 'TARGET is empty' yore restore h/t ''
said 1 'cannot make /proc/new: .*' yore restore h/t /proc/new
said 1 'h/t@.*: none: no such file or directory' yore cat h/t:none
said 1 '1999: neither a time nor a snapshot of h/t .*' yore ls h/t@1999

# libraries are loaded when they are needed, and then they may not be there
mkdir lib
for library in curl.so.4 curl-gnutls.so.4 expat.so.1; do
	echo none >"lib/lib$library"
done
run_status 0 env LD_LIBRARY_PATH="$work/lib" yore ls h/t
said 1 'cannot load libexpat: .*libexpat[^ ]*: file too short' \
	env LD_LIBRARY_PATH="$work/lib" yore ls -r s3://bucket/repo h/t
rm lib/libexpat.so.1
for library in crypto.so.3 zstd.so.1 jansson.so.4; do
	echo none >"lib/lib$library"
	said 1 "cannot load lib${library%%.*}: .*: file too short" \
		env LD_LIBRARY_PATH="$work/lib" yore ls --json h/t
	rm "lib/lib$library"
done
said 1 'cannot load libcurl: .*libcurl[^ ]*: file too short' \
	env LD_LIBRARY_PATH="$work/lib" yore ls -r http://localhost/ h/t

# a file that cannot be read is named once
cp -r repo hurt
rm hurt/data/*/*
said 1 'h/t@[^ :]*:big: data/[^ ]* does not exist' yore cat -r hurt h/t:big
run_status 3 yore restore -r hurt h/t some
one_line err
says err '^yore: h/t@[^ :]*:big: data/[^ ]* does not exist$'
says out '^restored 1 file, 4 B, 2 entries in '
rm hurt/keys/*
said 11 'hurt: no key slots below keys/.*' yore ls -r hurt

# one and many
yore stats >out
says out '^1 snapshot of .*, [0-9]+ objects$'

# output that nobody can get is an error, and becomes part of no file
for command in 'ls h/t' 'cat h/t:a' stats snapshots version; do
	# shellcheck disable=SC2086 # words
	said 1 '.*cannot write.*: Bad file descriptor' bash -c 'yore "$@" >&-' - \
		$command
done
run_status 0 bash -c 'yore backup -q --host h --source t tree >&- 2>&- <&-'
yore restore -q h/t new
same_tree tree new
