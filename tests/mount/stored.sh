#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reading a directory in order, most small files are in the page cache before
# they are asked for; what is there is right.
. "${top_srcdir:-.}/tests/mount/mount.sh" || exit 99

sums() {
	(cd "$home" && find 0* big -type f | sort | xargs md5sum | md5sum)
}

start dirs=5 files=1000 big=1000 store=0
plain=$(sums)
is 6000 "$(asked read)" 'READs without'
is 0 "$(metric yore_stored_files_total)" 'files stored without'
stop

start dirs=5 files=1000 big=1000 store=1
is "$plain" "$(sums)" 'content'
reads=$(asked read)
[ "$reads" -lt 600 ] || fail "$reads READs"
# a reader may be faster than what is stored for it: some are both
both=$((reads + $(metric yore_stored_files_total)))
((both >= 6000 && both < 6600)) || fail "$both files read or stored"
# unless something else on the machine needed the memory
for _ in 1 2 3 4; do
	reads=$(asked read)
	is "$plain" "$(sums)" 'content, again'
	[ "$(asked read)" = "$reads" ] && break
done
is "$reads" "$(asked read)" 'READs after reading again'
stop

# out of order: nothing is stored
start dirs=1 files=1000 store=1
(cd "$home/000" && seq 0 97 999 | sort -rn | xargs printf 'f%06d\n' |
	xargs cat >/dev/null) || fail 'cannot read out of order'
is 0 "$(metric yore_stored_files_total)" 'files stored out of order'
stop
