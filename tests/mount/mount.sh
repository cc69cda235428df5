# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the tests of the mount: scratch space, a mounted fake history, the
# mount's own counters.
#
#   start [NAME=VALUE...]   mount a fake history (fakefs.c) on $mnt
#   forget                  empty the kernel's caches of it
#   stop                    SIGTERM; fails unless it exits with 0
#   asked OP                requests of that kind since it was mounted
#   is WANTED GOT WHAT      fail unless equal
#   $home                   the newest tree of web1/home

[ "$(id -u)" = 0 ] || { echo 'not root'; exit 77; }
[ -c /dev/fuse ] || { echo 'no /dev/fuse'; exit 77; }

scratch=$(mktemp -d /tmp/yore-mount.XXXXXX)
mnt=$scratch/mnt
log=$scratch/log
home=$mnt/latest/web1/home
snapshots=$mnt/sources/web1/home/snapshots
pid=
runner=() # what fakefs is run by
mkdir "$mnt"
: >"$log"

clean_up() {
	local status=$?
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	umount -l "$mnt" 2>/dev/null
	[ $status = 0 ] || [ $status = 77 ] || sed 's/^/log: /' "$log"
	rm -rf "$scratch"
	exit $status
}
trap clean_up EXIT

fail() {
	echo "$*"
	exit 1
}

is() {
	[ "$1" = "$2" ] || fail "$3: '$2' instead of '$1'"
}

# Wait up to 10 s until a command succeeds.
until_true() {
	for _ in $(seq 200); do
		"$@" 2>/dev/null && return
		sleep 0.05
	done
	fail "never true: $*"
}

start() {
	"${runner[@]}" "$top_builddir/tests/mount/fakefs" "$mnt" "$@" \
		2>>"$log" &
	pid=$!
	until_true grep -q " $mnt fuse.yorefs " /proc/mounts
}

stop() {
	kill "$pid"
	wait "$pid" || fail "the mount ended with $?"
	pid=
}

# Let the kernel forget what it cached of this mount, and of no other.
forget() {
	mount -i -o remount,ro "$mnt"
}

metric() {
	awk -v name="$1" '$1 == name { print $2 }' "$mnt/.yore/metrics"
}

asked() {
	metric "yore_fuse_requests_total{op=\"$1\"}"
}

# What a command asks: "between OP... -- COMMAND" prints "OP=n ..." .
between() {
	local ops=() before=() i
	while [ "$1" != -- ]; do ops+=("$1"); shift; done
	shift
	for i in "${!ops[@]}"; do before[i]=$(asked "${ops[i]}"); done
	"$@" >/dev/null
	for i in "${!ops[@]}"; do
		printf '%s=%d ' "${ops[i]}" $(($(asked "${ops[i]}") - before[i]))
	done
}
