#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a state says is lost is stored again by the next backup of a source that
# still has it; then old snapshots read again too.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1
. "$top_srcdir/tests/upkeep/gc.sh"

make_repository
make_tree
back_up
first=$(newest)
"$states" refs repo "$first" | sort -u >all

# break KIND N: damage the Nth frame of a kind, and say so
harm() {
	local object place
	read -r _ object place < <(grep "^$1 " all | sed -n "$2p")
	damage "repo/$object" $((${place%:*} + 20))
	echo "$object@$place" >>harmed
}

grep -c '^data ' all
for n in 1 2 5; do harm data $n; done
harm xattrs 1
harm page 1
yore restore -q "@${first##*-}" broken 2>err && fail 'what is damaged was restored'

# as long as nobody says so, it is taken for granted
back_up
[ "$(said new_bytes)" = 0 ]
args=()
while read -r frame; do args+=(lost "$frame"); done <harmed
"$states" put repo "${args[@]}"
complains=1 back_up
[ "$(said new_bytes)" -gt 0 ] || fail 'nothing was stored again'
[ "$(said new_bytes)" -lt 3000000 ] || fail 'all was stored again'
"$states" refs repo "$(newest)" | awk '{ print $2 "@" $3 }' | sort -u >refs
sort harmed | comm -12 refs - | grep . && fail 'what is lost is referred to'
restores "$(newest)" quietly
restores "$first"
says err 'read from .* instead'

# a whole pack that is missing
pack=$(awk '$1 == "data" { print $2; exit }' all)
rm "repo/$pack"
"$states" put repo lost "$pack"
complains=1 back_up
for record in $(records); do restores "$record"; done
restores "$(newest)" quietly
