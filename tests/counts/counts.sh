# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by the tests of counts: what a mount of a real repository asks of
# the store, and the kernel of the mount.
#
#   metric NAME              from .yore/metrics of $work/mnt
#   gets, bytes, lists       asked of the store since it was mounted
#   remount [OPTIONS]        everything cold: a new daemon
#   cost COMMAND...          sets g, b, o, r: GETs, bytes, FUSE requests that
#                            a command causes, and READs among them
#   exactly N WANTED WHAT

. "${top_srcdir:-.}/tests/lib.sh" || exit 1
need_root
need_fuse

mkdir mnt

metric() {
	awk -v name="$1" '$1 == name { n = $2 } END { printf "%d\n", n }' \
		"$work/mnt/.yore/metrics"
}

gets() { metric yore_store_get_requests_total; }
lists() { metric yore_store_list_requests_total; }
bytes() { metric yore_store_bytes_total; }
reads() { metric 'yore_fuse_requests_total{op="read"}'; }
requests() {
	awk '/^yore_fuse_requests_total/ { n += $2 } END { print n }' \
		"$work/mnt/.yore/metrics"
}

remount() {
	! mountpoint -q "$work/mnt" || yore umount "$work/mnt"
	mount_yore -o "${1-refresh=0}" "$work/mnt"
}

cost() {
	local g0 b0 o0 r0
	g0=$(gets) b0=$(bytes) o0=$(requests) r0=$(reads)
	"$@" >/dev/null
	g=$(($(gets) - g0)) b=$(($(bytes) - b0))
	o=$(($(requests) - o0)) r=$(($(reads) - r0))
	echo "$*: $g gets, $b bytes, $o requests, $r reads" | cut -c1-150
}

# settle NAME: until a metric stays as it is
settle() {
	local before=-1 now
	for _ in $(seq 100); do
		now=$(metric "$1")
		[ "$now" != "$before" ] || return 0
		before=$now
		sleep 0.3
	done
}

exactly() {
	[ "$1" -eq "$2" ] || fail "$3: $1, not $2"
}

# resident: KiB of memory that the daemon holds now; peak: ever held.
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$(daemon_of "$work/mnt")/status"; }
peak() { awk '/^VmHWM/ { print $2 }' "/proc/$(daemon_of "$work/mnt")/status"; }
