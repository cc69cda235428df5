# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by scripts that run the daemons of an object store: ceph.sh, swift.sh.
# Such a script is called with an empty directory, writes DIRECTORY/env when the
# store can be used, and stays until it is told to stop (TERM, INT, HUP).  Every
# daemon dies with the script, even when that is killed with KILL; the script
# dies with its caller when it is started by setpriv --pdeathsig TERM (lib.sh).

set -euo pipefail
export LC_ALL=C

say() {
	echo "${0##*/}: $*" >&2
}

if [ $# != 1 ] || [ ! -d "$1" ]; then
	say "usage: ${0##*/} DIRECTORY"
	exit 2
fi
dir=$(cd "$1" && pwd)
mkdir "$dir/log"
cd "$dir"

daemons=()
names=()
end() {
	local status=$?
	trap - EXIT
	[ ${#daemons[@]} = 0 ] || kill -KILL "${daemons[@]}" 2>/dev/null || :
	# bash remarks on what was killed
	wait 2>/dev/null || :
	exit $status
}
trap end EXIT
trap 'exit 0' TERM INT HUP

# launch NAME COMMAND...: a daemon that stays in the foreground.
launch() {
	local name=$1
	shift
	setpriv --pdeathsig KILL "$@" >"log/$name.out" 2>&1 </dev/null &
	daemons+=($!)
	names+=("$name")
}

# Show what the daemons said, for whoever has to find out why.
complain() {
	say "$1"
	tail -n 5 log/*.out >&2
	exit 1
}

# until_ok SECONDS WHAT COMMAND...: try until it succeeds.
until_ok() {
	local what=$2 deadline=$((${EPOCHREALTIME/./} + $1 * 1000000)) i
	shift 2
	until "$@" >/dev/null 2>&1; do
		for i in "${!daemons[@]}"; do
			kill -0 "${daemons[i]}" 2>/dev/null ||
				complain "${names[i]} died"
		done
		[ "${EPOCHREALTIME/./}" -lt $deadline ] ||
			complain "$what: not ready in time"
		sleep 0.02
	done
}

listens() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# free_port: one that nobody listens on, outside the range that the kernel
# gives to clients.
free_port() {
	local port
	while port=$((10000 + SRANDOM % 20000)); listens $port; do :; done
	echo $port
}

# ready: DIRECTORY/env from standard input, then stay until told to stop.
ready() {
	cat >env.new
	mv env.new env
	wait -n || :
	complain 'a daemon died'
}
