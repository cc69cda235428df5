# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For shell tests: . "${top_srcdir:-.}/tests/lib.sh"
#
# Gives an empty directory of the test's own ($work, also the current one),
# the programs of the build tree in PATH, and an environment in which nothing
# of the user's is left.  Whatever happens, mounts and servers are ended and
# $work is removed.  Any command that fails fails the test, and says which.

set -euo pipefail

top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
top_builddir=$(cd "${top_builddir:-.}" && pwd)
PATH=${TEST_PATH:+$TEST_PATH:}$top_builddir:$PATH
export LC_ALL=C TZ=UTC
for name in "${!YORE_@}"; do
	[[ $name == YORE_TEST_* ]] || unset "$name"
done
unset name CREDENTIALS_DIRECTORY XDG_CACHE_HOME XDG_STATE_HOME
[ -n "${TEST_BUCKET-}" ] || unset "${!AWS_@}"

mounts=()
servers=() # processes that the test has started
work=$(mktemp -d "${TMPDIR:-/tmp}/yore-test.XXXXXX")
# other users' tests begin here too
chmod 755 "$work"
export HOME=$work/home
mkdir "$HOME"
cd "$work"

# What has ended already may have left its number to somebody else's process.
end_servers() {
	local running server
	running=$(jobs -pr)
	for server in "${servers[@]}"; do
		[[ $'\n'$running$'\n' != *$'\n'$server$'\n'* ]] || kill "$server"
	done
	[ ${#servers[@]} = 0 ] || wait
}

cleanup() {
	local status=$? m
	set +e
	cd /
	# and what a subshell has mounted
	for m in "${mounts[@]}" $(awk -v below="$work/" \
		'index($5, below) == 1 { print $5 }' /proc/self/mountinfo); do
		mountpoint -q "$m" || continue
		yore umount "$m" || umount -l "$m" || fusermount3 -uz "$m"
	done
	end_servers 2>/dev/null
	chmod -R u+rwx "$work" 2>/dev/null
	rm -rf --one-file-system "$work"
	exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
trap 'echo "line $LINENO failed: $BASH_COMMAND" >&2' ERR

fail() {
	echo "$*" >&2
	exit 1
}

# What a test cannot do without; the only reasons to skip it.
need_root() {
	[ "$(id -u)" = 0 ] || { echo 'needs root'; exit 77; }
}

need_fuse() {
	[ -w /dev/fuse ] || { echo 'needs /dev/fuse'; exit 77; }
}

# at_most N LIMIT WHAT
at_most() {
	[ "$1" -le "$2" ] || fail "$3: $1, at most $2 allowed"
}

# run_status STATUS COMMAND...: the command must exit with STATUS; what it
# printed is in $work/out and $work/err.
run_status() {
	local wanted=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	[ $status = "$wanted" ] && return
	cat "$work/out" "$work/err" >&2
	fail "$* exited with $status, not $wanted"
}

# says FILE PATTERN: a line of the file matches the extended expression.
says() {
	grep -qE -e "$2" "$1" && return
	cat "$1" >&2
	fail "nothing in $1 matches: $2"
}

# one_line FILE: exactly one line (a message names thing and reason at once).
one_line() {
	[ "$(wc -l <"$1")" = 1 ] && return
	cat "$1" >&2
	fail "$1 is not one line"
}

# same A B: the two files have the same bytes.
same() {
	cmp "$1" "$2" || fail "$1 and $2 differ"
}

# same_tree A B: rsync sees no difference of any kind.
same_tree() {
	local differences
	differences=$(rsync -aHAXSn --numeric-ids --checksum --delete \
		--itemize-changes "$1/" "$2/" 2>&1 | cut -c1-200)
	[ -z "$differences" ] || fail "$1 and $2 differ: $differences"
}

# damage FILE OFFSET: another byte stands there.
damage() {
	local byte
	chmod u+w "$1"
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf "\\x$(printf %x $((byte ^ 85)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# make_repository [NAME]: an open one at $work/NAME, default for all commands.
# tests/s3/again.sh has tests make it in a bucket instead.
make_repository() {
	export YORE_REPOSITORY=$work/${1:-repo}
	[ -z "${TEST_BUCKET-}" ] ||
		YORE_REPOSITORY=s3://$TEST_BUCKET/${work##*/}/${1:-repo}
	yore init -q --no-passphrase
}

# mount_yore ARGUMENTS... MOUNTPOINT: yore mount, ended when the test ends.
mount_yore() {
	mounts+=("$(realpath "${!#}")")
	yore mount "$@"
}

# daemon_of MOUNTPOINT: the process that serves it.
daemon_of() {
	ps -e -o pid=,args= | awk -v m="$(realpath "$1")" \
		'$2 ~ /yorefs$/ && $NF == m { print $1; exit }'
}

# see_again N SOURCE: the mount at mnt looks at the repository again, until the
# source has N snapshots there; what it keeps for a second is over, too.
see_again() {
	local i snapshots=mnt/sources/$2/snapshots
	kill -HUP "$(daemon_of mnt)"
	for ((i = 0; i < 500; i++)); do
		[ "$(ls "$snapshots" | wc -l)" != "$1" ] || break
		sleep 0.02
	done
	[ $i -lt 500 ] || fail "the mount does not come to show $1 of $2"
	sleep 1.1
}
