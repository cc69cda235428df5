#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A key that may only put, and runs that end early: what they stored is not
# stored again, and no two snapshots get the same number.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1

start_server
export YORE_REPOSITORY="s3://yore/r?timeout=5"
state=$HOME/.local/state/yore
mkdir tree
head -c 50000000 /dev/urandom >tree/big
backup() { yore backup --json --host h --source t tree 2>err | grep summary >summary; }
stored() { jq .stored_bytes summary; }
numbers() { (as ro; yore snapshots --json h/t | jq -s -c 'map(.sequence)'); }

yore init -q --no-passphrase
as put

# before the segment: packs that nobody names
server 'fault PUT r/idx* 1+ 403'
! backup || fail 'a segment was refused, and nobody noticed'
server clear
backup
at_most "$(stored)" 100000 'bytes stored after a run that brought all packs'
exactly "$(find "$state"/*/stash/*/*/ends -type f | wc -l)" 0 'packs without a segment'

# the record did not arrive: it is put by the next run, under its number
echo 2 >tree/small
server 'fault PUT r/snap* 1+ 503'
! backup || fail 'a record was refused, and nobody noticed'
server clear
echo 3 >tree/small
backup
exactly "$(numbers)" '[1,2,3]' 'numbers after a record that came late'

# it did arrive, but the answer was lost
echo 4 >tree/small
server 'fault PUT r/snap* 1+ unheard'
! backup || fail 'a lost answer was taken for one'
server clear
echo 5 >tree/small
backup
exactly "$(numbers)" '[1,2,3,4,5]' 'numbers after an answer that was lost'

# it cannot look for what it has put, and says so when asked
yore backup -v --host h --source t tree >out 2>err
says err 'this key may not read: what is stored is not looked for again'

# it was refused for good: there is no such snapshot
server 'fault PUT r/snap* 1+ 403'
! backup || fail 'a record was refused, and nobody noticed'
server clear
backup
exactly "$(numbers)" '[1,2,3,4,5,6,7]' 'numbers after a refusal'
as ro
for time in $(yore snapshots --json h/t | jq -r .time); do
	yore cat "h/t@$time:big" | same - tree/big
done
