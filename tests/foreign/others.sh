# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by others_*.sh:
#
#   look_at MOUNT EXPECTED     every state of others.py is there, as expected, and
#                              no other one; sqlite3 opens the databases

# What a mount has at "source id path": a snapshot or a moment.
place() {
	local source=$1/sources/$2 point
	for point in "$source"/snapshots/* "$source"/generations/*/points/*/*
	do
		[ "$(getfattr --only-values -n user.yore.id "$point")" = "$3" ] ||
			continue
		echo "$point"
		return
	done
	fail "$2 has no $3"
}

look_at() {
	local source id path sum at='' last='' points=0
	while IFS=$'\t' read -r source id path sum; do
		[ "$last" = "$source $id" ] || at=$(place "$1" "$source" "$id")
		last="$source $id"
		[ "$(sha256sum <"$at/$path")" = "$sum  -" ] ||
			fail "$source@$id: $path is not as expected"
	done <"$2"
	[ "$(ls "$1/sources/alopex/metrics/snapshots" | wc -l)" = 2 ] ||
		fail 'alopex: other snapshots'
	[ "$(ls "$1/sources/alopex/metrics.unfinished/snapshots")" = \
		2026-10-07T05-00-00Z ] || fail 'alopex: unfinished'
	[ "$(ls "$1/sources/tito/shop/snapshots" | wc -l)" = 2 ] ||
		fail 'tito: other snapshots'
	[ "$(ls "$1/sources/tito/shop.unfinished/snapshots" | wc -l)" = 1 ] ||
		fail 'tito: unfinished'
	for at in "$1"/sources/zlayer/orders/generations/*/points/*/*; do
		[ "$(sqlite3 "$at/orders" 'pragma integrity_check')" = ok ] ||
			fail "$at cannot be opened"
		points=$((points + 1))
	done
	[ $points = 3 ] || fail "zlayer has $points states"
}
