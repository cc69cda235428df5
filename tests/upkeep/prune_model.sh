#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Any sequence of backups of three sources, removals, undos and prunes: what a
# snapshot holds never changes.  YORE_TEST_STEPS=500 YORE_TEST_SEED=7 for more.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1

make_repository
RANDOM=${YORE_TEST_SEED:-1}
steps=${YORE_TEST_STEPS:-40}
prunes=0 deleted=0 copied=0

prune_some() {
	local out
	out=$(prune --json --threshold $((60 + RANDOM % 41)) --pack-size 400k) ||
		fail 'a prune failed'
	prunes=$((prunes + 1))
	deleted=$((deleted + $(field deleted_packs <<<"$out")))
	copied=$((copied + $(field copied_packs <<<"$out")))
	all_there
}

for ((step = 1; step <= steps; step++)); do
	source=s$((RANDOM % 3))
	case $((RANDOM % 9)) in
	[0-3])
		change "src.$source" $((RANDOM * 7 + step))
		# content of another source, too
		[ ! -d src.s0 ] || [ $((RANDOM % 4)) -gt 0 ] ||
			cp -r src.s0/. "src.$source/" 2>/dev/null || :
		backup "src.$source" "$source"
		;;
	[45])
		# any but the newest, which stays
		old=$(ls must | grep "^$source@" | sort | head -n -1 |
			shuf -n 1 --random-source=<(yes "$step")) || :
		[ -z "$old" ] || remove "$old"
		;;
	6)
		last=$(ls -d forgotten.* 2>/dev/null | tail -n 1) || :
		[ -n "$last" ] || continue
		# until a prune has emptied the trash
		if yore forget -q --undo "h/$(at "${last#forgotten.}")" 2>err; then
			mv "$last" "must/${last#forgotten.}"
		else
			rm "$last"
		fi
		;;
	*) prune_some ;;
	esac
done
for _ in 1 2 3; do prune -q; done
all_there
left=$(prune -n --json | tail -n 1)
[ "$(jq '.deleted_packs + .waiting_packs' <<<"$left")" = 0 ] ||
	fail "something is left for ever: $left"
echo "$steps steps, $prunes prunes, $deleted packs deleted, $copied copied"
[ $deleted -gt 3 ] || fail 'next to nothing was deleted'
