#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What was forgotten comes back byte for byte, all of it or what is named, and
# is read from the mount again.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/upkeep/lib.sh"

make_repository
days 6
days 2 other
before=$(records)
trash() { find repo/gc/snap -type f 2>/dev/null | wc -l; }

run_status 0 yore forget --undo
says out '^0 snapshots brought back$'
run_status 0 yore forget --keep-last 2
catalogs_fit
[ "$(kept) $(trash)" = '5 6 4' ] || fail "$(kept) $(trash)"
run_status 0 yore forget --undo -n
says out 'trash .*2026-11-15T12-00-00Z .*forgotten 20..-'
says out '^4 snapshots can be brought back$'
[ "$(kept) $(trash)" = '5 6 4' ] || fail 'a dry run did something'

# one by its time, then the rest
run_status 1 yore forget --undo h/t@2026-11-14T12-00-00Z
run_status 1 yore forget --undo 0123456789abcdef
run_status 0 yore forget --undo h/t@2026-11-17T12-00-00Z
[ "$(kept) $(trash)" = '3 5 6 3' ] || fail "$(kept) $(trash)"
catalogs_fit
run_status 0 yore forget --undo --json h/t
says out '"type":"undo".*"sequence":1,"forgotten":"20'
says out '"restored":3,'
[ "$(records)" = "$before" ] || fail 'not the records that were there'
[ "$(trash)" = 0 ] || fail 'left in the trash'
catalogs_fit

# a copy of a record that exists is no trash, and does not bring it down
run_status 0 yore forget --keep-last 5
cp -a repo/gc copy
run_status 0 yore forget --undo
mkdir -p repo/gc/snap
cp -a copy/snap repo/gc/
run_status 0 yore forget --undo
says out '^0 snapshots brought back$'
run_status 0 yore forget --keep-last 5
[ "$(kept) $(trash)" = '2 3 4 5 6 1' ] || fail "$(kept) $(trash)"

# an old one is what a killed run left
yore forget -q --undo
cp -a copy/snap repo/gc/
find repo/gc/snap -type f -exec touch -d '9 days ago' {} +
run_status 0 yore forget --undo -n
[ "$(trash)" = 1 ] || fail 'a dry run did something'
run_status 0 yore forget --undo
[ "$(kept) $(trash)" = '1 2 3 4 5 6 0' ] || fail "$(kept) $(trash)"
yore forget -q --keep-last 5

# an old copy would have been pruned at once
run_status 0 yore forget --undo
cp -a copy/snap repo/gc/
find repo/gc/snap -type f -exec touch -d '9 days ago' {} +
run_status 0 yore forget --keep-last 5
[ -z "$(find repo/gc/snap -type f -mmin +60)" ] || fail 'the trash is old'

# another record's bytes under its name are not taken for it
name=$(cd repo/gc && find snap -type f | head -1)
other=$(cd repo && find snap -type f | tail -1)
cp -a "repo/gc/$name" good
chmod u+w "repo/gc/$name"
cp "repo/$other" "repo/gc/$name"
run_status 0 yore forget --undo -n
says err 'in the trash, damaged: '
cp good "repo/gc/$name"
run_status 0 yore forget --undo
[ "$(records)" = "$before" ] || fail 'not the records that were there'
