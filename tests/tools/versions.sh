#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# yore versions lists each state of a path once, with what was there between.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

make_repository
mkdir -p tree/etc
at=1600000000

# state COMMAND: run it, then back up; one a minute
state() {
	eval "$1"
	at=$((at + 60))
	yore backup -q --host h --source t --time "@$at" tree
}
# listed PATH WANTED: "minute:mode:size" of each state, "-" where it is gone
listed() {
	run_status 0 yore versions --json "h/t${2-}:$1"
	jq -r '"\(.snapshot[14:16]):" + if .gone then "-" else
		"\(.file_type[0:1])\(.size)" + (if .again then "+" else "" end)
		end' out | xargs >got
	is=$(cat got)
	[ "$is" = "$3" ] || fail "$1: $is, not $3"
}

state 'echo one >tree/etc/hosts; touch -d @1 tree/etc/hosts; echo x >tree/n'
state 'echo more >tree/other'
state 'echo changed >tree/etc/hosts'
state 'echo other >tree/other'
state 'mv tree/etc/hosts kept'
state 'mv kept tree/etc/hosts'
state 'mv tree/etc tree/etc.new; mkdir tree/etc; echo swapped >tree/etc/hosts'
state 'rm -r tree/etc; mv tree/etc.new tree/etc'
state 'echo four >tree/n' # and nothing else
state 'rm tree/etc/hosts; mkdir tree/etc/hosts; echo y >tree/etc/hosts/y'
state 'chmod 700 tree/etc/hosts'
state 'echo z >tree/etc/hosts/y'
state 'touch tree/etc/hosts/y -d @5; ln -s a tree/l'
state 'ln -sfn b tree/l; setfattr -n user.a -v b tree/n'
state 'chmod u-s tree/n' # its ctime alone

listed etc/hosts '' "27:f4 29:f8 31:- 32:f8+ 33:f8 34:f8 36:d4096 37:d4096 \
38:d4096 39:d4096"
listed /etc//./hosts/ @2020-09-13T12-29-59Z '27:f4 29:f8'
listed n '' '27:f2 35:f5 40:f5'
listed etc/hosts/y '' '36:f2 38:f2 39:f2'
listed l '' '39:s1 40:s1'
listed '' @2020-09-13T12-28-59Z '27:d4096 28:d4096'

yore versions h/t:etc/hosts >out
says out '^2020-09-13T12-31-40Z +2020-09-13T12-31-40Z +gone [0-9a-f]{8}$'
says out '^2020-09-13T12-29-40Z +2020-09-13T12-30-40Z +-rw.* 8 '
run_status 1 yore versions h/t:etc/none
one_line err
says err 'h/t:etc/none: in no snapshot'
run_status 2 yore versions
