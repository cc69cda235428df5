#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# --limit-upload holds for deltas, too.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
need_fuse
make_repository
ledger run app.db ledger 0.2 100 >run
start_replicator --sync-interval 0.1 --limit-upload 100K
stored

bytes() {
	find "$YORE_REPOSITORY/db" -type f -printf '%s\n' |
		awk '{ n += $1; if ($1 > most) most = $1 }
			END { print n + 0, most + 0 }'
}
read -r before _ < <(bytes)
began=$(date +%s%N)
ledger run app.db ledger 2 100 >run
read -r after most < <(bytes)
ms=$((($(date +%s%N) - began) / 1000000))
echo "$((after - before)) bytes in $ms ms"
[ $((after - before)) -le $((ms * 110 + 2 * most)) ] || fail 'too fast'
[ $((after - before)) -gt 50000 ] || fail 'nothing was put'
stored
stop_replicator
check_points
