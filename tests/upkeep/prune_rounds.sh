#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# So many backups that index segments are merged, each followed by forgetting
# and a prune: what was copied twice is still found, also by old snapshots, whose
# hints name packs that are long gone.
. "${top_srcdir:-.}/tests/upkeep/prune_lib.sh" || exit 1

make_repository
python3 - <<'END'
import os, random
r = random.Random(0)
for d in range(30):
    os.makedirs(f"src/d{d}")
    for f in range(10):
        with open(f"src/d{d}/f{f}", "wb") as x:
            x.write(r.randbytes(r.randrange(3000) if f else 90000))
END
for ((round = 1; round <= ${YORE_TEST_ROUNDS:-22}; round++)); do
	python3 - "$round" <<-'END'
		import random, sys
		r = random.Random(int(sys.argv[1]))
		for _ in range(12):
		    with open(f"src/d{r.randrange(30)}/f{r.randrange(12)}", "wb") as x:
		        x.write(r.randbytes(r.randrange(3000)))
	END
	backup src s
	for old in $(ls must | head -n -7); do remove "$old"; done
	prune -q 2>err || { cat err; fail "round $round"; }
	[ $((round % 6)) != 0 ] || all_there
done
all_there
ls repo/idx | grep -q '^1-' || fail 'no segments were merged'
