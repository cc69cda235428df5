#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The terminal is asked without echo, twice for a new repository, and speaks
# again whatever happens.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

# at_terminal STATUS COMMAND ANSWER...: run with a terminal of its own, each
# answer typed when the next question is asked; what it showed is in ./shown.
at_terminal() {
	python3 - "$@" >shown <<'EOP'
import os, pty, sys, termios
status, command, answers = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp('bash', ['bash', '-c', command])
shown = b''
while True:
    try:
        piece = os.read(fd, 1000)
    except OSError:
        break
    shown += piece
    if shown.endswith(b': ') and answers:
        if termios.tcgetattr(fd)[3] & termios.ECHO:
            print('the terminal echoes')
        os.write(fd, answers.pop(0).encode().decode('unicode_escape').encode())
sys.stdout.write(shown.decode())
got = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if got != status:
    sys.exit('status %d, not %d: %s' % (got, status, shown))
EOP
}
export YORE_REPOSITORY=$work/repo
at_terminal 11 'yore init' 's3same\n' 's3else\n'
says shown 'the two passphrases differ'
[ ! -e repo ] || [ -z "$(ls repo)" ]
at_terminal 0 'yore init' 's3same\n' 's3same\n'
at_terminal 0 'yore ls' 's3same\n'
says shown "Passphrase for $work/repo: "
at_terminal 11 'yore ls' 's3else\n'
! grep -qE 's3same|s3else|echoes' shown || fail "$(cat shown)"
# interrupted: the terminal echoes again, status 130
at_terminal 0 'yore ls; [ $? = 130 ] && stty -a | grep -qw echo && echo fine' \
	'\x03'
says shown '^fine'
