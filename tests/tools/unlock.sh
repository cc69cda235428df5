#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A passphrase comes from where unlock.h says, in that order, and goes nowhere.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

printf 'right\n' >right
printf 'wrong\n' >wrong
head -c 64 /dev/urandom >key
export YORE_REPOSITORY=$work/repo
yore init -q --password-file right

run_status 0 yore ls --password-command 'cat right'
run_status 1 yore ls --password-command 'cat right; exit 3'
says err 'failed with status 3'
run_status 0 bash -c 'exec yore ls --password-fd 9 9<right'
run_status 0 env YORE_PASSWORD=right yore ls
run_status 11 env YORE_PASSWORD=wrong yore ls
run_status 0 env YORE_PASSWORD_FILE=right yore ls
run_status 0 env YORE_PASSWORD_COMMAND='cat right' yore ls
mkdir credentials
cp right credentials/yore.password
run_status 0 env CREDENTIALS_DIRECTORY="$work/credentials" yore ls

# the earlier wins
run_status 0 env YORE_PASSWORD=wrong yore ls --password-file right
run_status 0 env YORE_PASSWORD=right YORE_PASSWORD_FILE=wrong yore ls
run_status 11 env YORE_PASSWORD_FILE=wrong YORE_PASSWORD_COMMAND='cat right' \
	yore ls

# a key file is another slot's secret
run_status 11 yore ls --key-file key
run_status 0 yore init -r "$work/keyed" --key-file key
run_status 0 yore ls -r "$work/keyed" --key-file key
head -c 16 key >short
run_status 1 yore ls --key-file short
says err 'at least 32 bytes'
: >nothing
run_status 1 yore ls --password-file nothing
says err 'empty'

# an open repository asks for nothing, also where nothing could be asked
run_status 0 yore init -r "$work/open" --no-passphrase
run_status 0 setsid yore ls -r "$work/open"

# a command that a backup runs does not find the passphrase
YORE_PASSWORD=right yore backup -q --host h --stdin e --stdin-command \
	'tr "\0" "\n" </proc/$PPID/environ; env'
yore cat --password-file right h/e:e >environment
! grep -qE '(^|=)right$' environment || fail 'the passphrase is still there'
