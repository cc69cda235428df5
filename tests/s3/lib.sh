# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # s3_... come from env files
#
# Sourced by the tests of object storage, instead of tests/lib.sh:
#
#   start_server [SETTING...]   the test server (server.c); files are in $work/bucket,
#                               with their times
#   start_ceph, start_swift     a real one
#   start_proxy [NAME=N...]     a proxy before it (proxy.c), which then is asked
#   as rw|ro|put                what commands sign with from here on
#   server LINE, proxy LINE     tell one of them (control.h)
#   mark                        requests are counted from here
#   asked [OPERATION [KEY]]     how many since then, of one kind (* for any), for
#                               keys that match an extended expression
#   settle                      wait until read-ahead that nobody waits for is over
#   most_in_flight [as asked]   of the requests since mark, at one time
#
# They are started from the test's own shell, never from a subshell: they die
# with whoever started them.

. "${top_srcdir:-.}/tests/lib.sh" || exit 1
# what is asked of a store is looked at, not what a disk remembers
export YORE_CACHE_DIR=
s3=$top_srcdir/tests/s3
log=/dev/null

# until_there FILE PID: wait for what a server writes when it is ready: all of it,
# to the end of a line.
until_there() {
	local i
	for ((i = 0; i < 3000; i++)); do
		[ ! -s "$1" ] || [ "$(tail -c 1 "$1" | wc -l)" = 0 ] || return 0
		kill -0 "$2" 2>/dev/null || break
		sleep 0.02
	done
	fail "${1##*/}: not started"
}

# launch NAME COMMAND...: a server of tests/s3; sets NAME_port and NAME_control.
launch() {
	local name=$1 port control
	shift
	rm -f "$work/$name.ports"
	"$@" >"$work/$name.ports" &
	servers+=($!)
	until_there "$work/$name.ports" $!
	. "$work/$name.ports"
	eval "${name}_port=$port ${name}_control=$control"
}

# begin_requests NAME: that server is asked from now on, with the keys of rw.
begin_requests() {
	local port=${1}_port
	s3_endpoint=http://127.0.0.1:${!port}
	log=$work/$1.log
	as rw
	mark
}

start_server() {
	local setting
	mkdir -p "$work/bucket"
	launch server "$top_builddir/tests/s3/server" "$work/bucket" \
		"$work/server.log" rw-key:rw-secret/+=:rlwd \
		ro-key:ro-secret/+=:rl put-key:put-secret/+=:w
	s3_region=test-1 s3_bucket=yore s3_rw='rw-key rw-secret/+='
	s3_ro='ro-key ro-secret/+=' s3_put='put-key put-secret/+='
	for setting; do server "set $setting"; done
	begin_requests server
}

# start_real NAME: by its script, which is told to stop when the test ends.
start_real() {
	mkdir "$work/$1"
	setpriv --pdeathsig TERM bash "$s3/$1.sh" "$work/$1" &
	servers+=($!)
	until_there "$work/$1/env" $!
	. "$work/$1/env"
	as rw
}

start_ceph() {
	command -v radosgw >/dev/null || { echo 'needs radosgw'; exit 77; }
	start_real ceph
}

start_swift() {
	[ -d /usr/lib/python3/dist-packages/swift ] ||
		{ echo 'needs python3-swift'; exit 77; }
	start_real swift
}

start_proxy() {
	launch proxy "$top_builddir/tests/s3/proxy" "${s3_endpoint##*:}" \
		"$work/proxy.log" "$@"
	begin_requests proxy
}

as() {
	local keys=s3_$1
	[ -n "${!keys-}" ] || fail "no keys of $1"
	export AWS_ENDPOINT_URL=$s3_endpoint AWS_REGION=$s3_region
	export AWS_ACCESS_KEY_ID=${!keys% *} AWS_SECRET_ACCESS_KEY=${!keys#* }
}

# tell PORT LINE: what it answers behind the "ok".
tell() {
	local line socket
	exec {socket}<>"/dev/tcp/127.0.0.1/$1"
	echo "$2" >&$socket
	read -r line <&$socket
	[ "$line" = ok ] || fail "not understood: $2"
	cat <&$socket
	exec {socket}>&-
}
server() { tell "$server_control" "$*"; }
proxy() { tell "$proxy_control" "$*"; }

mark() {
	[ -e "$log" ] || : >"$log"
	marked=$(wc -l <"$log")
}

# since: the lines of the log, see journal.h for their columns.
since() {
	tail -n +$((marked + 1)) "$log"
}

# A request is logged when it has been answered; one takes no second here.
settle() {
	local before=-1 now=-2 i
	for ((i = 0; i < 60 && now != before; i++)); do
		before=$now
		sleep 0.5
		now=$(wc -l <"$log")
	done
}

asked() {
	since | awk -v operation="${1:-*}" -v key="${2-}" '
		operation != "*" && $4 != operation { next }
		$NF ~ key { n++ }
		END { print n + 0 }'
}

most_in_flight() {
	since | awk -v operation="${1:-*}" -v key="${2-}" '
		operation != "*" && $4 != operation { next }
		$NF ~ key { print $1, 1; print $2, -1 }' | sort -n -k1,1 -k2,2 |
		awk '{ n += $2; if (n > most) most = n } END { print most + 0 }'
}

# status_of METHOD PATH [CURL ARGUMENTS]: of a signed request ("000": no answer);
# the body is in $work/body.
status_of() {
	local method=$1 path=$2
	shift 2
	curl -s -o "$work/body" -w '%{http_code}' -X "$method" \
		--aws-sigv4 "aws:amz:$s3_region:s3" \
		--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@" \
		"$s3_endpoint/$s3_bucket$path" || :
}

exactly() {
	[ "$1" = "$2" ] || fail "$3: $1, not $2"
}
