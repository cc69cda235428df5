#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A store that was put back, or lost its newest, is noticed by whoever has seen
# more: check, backup, and all that list snapshots; nothing is said when not.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1

golden=$top_builddir/tests/golden
make_repository
for i in 1 2; do change src "$i" && backup src s 2>>said; done
! grep . said || fail 'something is said of a new source'
cp -r repo old
for i in 3 4; do change src "$i" && backup src s; done
run_status 0 yore check
cp -r home home.seen

# the backup itself has seen number 4, and so has check
behind='the newest snapshot of h/s is number 2, but number 4 was here before'
back() { rm -rf repo home && cp -r "$1" repo && cp -r home.seen home; }
back old
run_status 5 yore check
says out "^missing: snap/.*/: $behind"
says out '0 damaged, 1 missing; everything can be read'
run_status 0 yore ls
says err "$behind"
change src 5
run_status 0 yore backup --host h --source s src
says err "$behind"
# only the newest record, by whoever has no key: catalogs say so, too
rm -rf new && cp -r old new # (what was put back goes on, and is accepted)
for i in 6 7; do change src "$i" && backup src s; done
run_status 0 yore check
run_status 0 yore ls
! grep . err || fail 'it is newer than what was here'

# all of a source; and it is said of nothing else
make_repository two
backup src a && backup src b
rm -r two/snap/"$(ls two/snap | head -n 1)" two/cat
run_status 5 yore check
says out '^missing: snap/.*/: h/[ab] has no snapshot, but number 1 was here'
[ "$(grep -c ^missing out)" = 2 ] # and cat/

# deltas of a database: what a mount has seen of them
export YORE_REPOSITORY=$work/db
"$golden/databases" db big
"$golden/points" db >points
run_status 0 yore check
newest=$(find "$(ls -d db/db/*/* | tail -n 1)" -type f | sort | head -n 1)
rm "$newest"
run_status 3 yore check --no-mark
says out '^missing: db/.*: later deltas were here before'
says out '^  lost: .*: points [0-9]+ to [0-9]+$'
