#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Forgetting a thousand snapshots of a bucket: a get and a put each, and few
# requests besides, several at a time, in little memory; and all of them back.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

start_ceph
start_proxy
export YORE_REPOSITORY=s3://yore/r
mkdir tree
echo content >tree/file
yore init -q --no-passphrase
yore backup -q --host h --source t --time @1600000000 tree
"$top_builddir/tests/s3/many" "$YORE_REPOSITORY" 1039
yore snapshots --json >all

# run COMMAND...: what it asks, and its peak of memory in $peak (KiB)
run() {
	mark
	peak=$(python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=open("out", "w"))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@")
	echo "$*: $(asked) requests ($(asked GET) gets, $(asked PUT) puts," \
		"$(asked HEAD) heads, $(asked LIST) lists," \
		"$(asked BATCH) removals of many), $(most_in_flight) at a" \
		"time, $peak KiB"
	exactly "$(asked DELETE)" 0 'single removals'
	at_most "$peak" 65536 'KiB of memory'
}

# refreshed SNAPSHOTS: the mount shows so many, for one LIST and one GET; and
# for the LISTs of snap/ that come once, when it is 45 s old
refreshed() {
	local i lists
	mark
	kill -HUP "$(daemon_of mnt)"
	for ((i = 0; i < 500; i++)); do
		[ "$(ls mnt/sources/h/t/snapshots | wc -l)" != "$1" ] || break
		sleep 0.02
	done
	exactly "$(ls mnt/sources/h/t/snapshots | wc -l)" "$1" 'snapshots shown'
	lists=$(asked LIST)
	exactly "$(asked GET)" 1 'GETs of a refresh'
	[ $((SECONDS - mounted)) -lt 44 ] || [ "$lists" -gt 4 ] || lists=1
	exactly "$lists" 1 'LISTs of a refresh'
}
mkdir mnt
mounted=$SECONDS
mount_yore -o refresh=0 "$work/mnt"

# nothing is asked of each snapshot to decide
run yore forget -n --keep-last 40
at_most "$(asked)" 16 'requests of a dry run'
says out '^h/t: 40 snapshots stay, 1000 would be forgotten$'

run yore forget --keep-last 40
says out '^h/t: 40 snapshots stay, 1000 were forgotten$'
at_most "$(asked GET)" 1010 gets
at_most "$(asked PUT)" 1001 puts
at_most "$(asked HEAD)" 0 heads
at_most "$(asked LIST)" 16 lists
at_most "$(asked BATCH)" 1 'removals of many'
[ "$(most_in_flight)" -ge 4 ] || fail "$(most_in_flight) at a time"
exactly "$(yore snapshots | sed 1d | wc -l)" 40 snapshots
"$top_builddir/tests/upkeep/catalogued" "$YORE_REPOSITORY" >ids
exactly "$(wc -l <ids)" 40 'records in catalogs'

refreshed 40
# there is nothing left to do
run yore forget --keep-last 40
at_most "$(asked PUT)" 0 'puts of a second run'

run yore forget --undo
says out '^1000 snapshots brought back$'
at_most "$(asked GET)" 3010 'gets of an undo'
at_most "$(asked PUT)" 1001 'puts of an undo'
at_most "$(asked BATCH)" 1 'removals of many'
yore snapshots --json >again
same all again

refreshed 1040

# keys that may not remove anything say so, and nothing is lost
as ro
run_status 1 yore forget --keep-last 1
one_line err
says err 'AccessDenied'
as rw
yore snapshots --json >again
same all again
