#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every failure is one line that names the thing, with its documented status.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

# refused STATUS PATTERN COMMAND...
refused() {
	run_status "$1" "${@:3}"
	one_line err
	says err "$2"
}
refused 2 'no command given' yore
refused 2 'frobnicate: no such command' yore frobnicate
refused 2 'unrecognized option' yore ls --frobnicate
refused 2 'no repository: give -r REPO' yore snapshots
refused 2 'usage: yore restore' yore restore -r x only-one
refused 10 'nowhere' yore snapshots -r nowhere
mkdir empty
refused 10 'empty' yore ls -r "$work/empty"
refused 10 'empty' yore backup -r "$work/empty" "$work/home"
refused 1 'bucket' yore snapshots -r s3:///x
run_status 0 yore --help
run_status 0 yore backup --help
run_status 0 yore --version
says out '^yore [0-9]'

echo right >right
echo wrong >wrong
run_status 0 yore init -r sealed --password-file right
refused 11 'sealed' yore ls -r sealed --password-file wrong
refused 11 'passphrase is needed' setsid yore ls -r sealed
refused 11 'cannot read the passphrase file none' \
	yore ls -r sealed --password-file none
run_status 0 yore ls -r sealed --password-file right
refused 1 'sealed' yore init -r sealed --no-passphrase
refused 2 'exclude each other' yore init -r other --no-passphrase \
	--password-file right

# standard output that is full
make_repository
mkdir tree
touch tree/{1..50}
yore backup -q --host h --source t tree
status=0
yore ls -lR h/t >/dev/full 2>err || status=$?
[ $status = 1 ]
says err 'cannot write standard output: No space left'

# a file that cannot be read: the rest is there, status 3
[ "$(id -u)" = 0 ] && user='setpriv --reuid 65534 --regid 65534 --clear-groups'
chmod 0 tree/7
chmod -R a+rwX repo
chmod 0 tree/7
run_status 3 ${user-} yore backup --host h --source t tree
says err '7: .*Permission denied'
[ "$(yore find -type f h/t | wc -l)" = 49 ]
