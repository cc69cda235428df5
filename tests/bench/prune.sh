#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How fast the newest snapshot reads after many backups and prunes, beside a
# fresh repository of the same tree (DESIGN, "Pruning"):
#   tests/bench/prune.sh [THRESHOLD...]     as root (caches are dropped)
# YORE_BIN has yore; works in BENCH_ROOT, which it leaves.  ROUNDS=100, of which
# each changes one file in 50, is backed up, all but the KEPT=7 newest snapshots
# are forgotten, and what no snapshot uses is pruned with no grace.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
root=${BENCH_ROOT:-/var/tmp/yore-bench}/prune
rounds=${ROUNDS:-100} kept=${KEPT:-7} runs=${RUNS:-5}
PATH=${YORE_BIN:-$top}:$PATH
export XDG_STATE_HOME=$root/state HOME=$root
rm -rf "$root"
mkdir -p "$root"

tree() { # SEED: change the tree, or make it
	python3 - "$root/tree" "$1" <<'END'
import os, random, sys
root, seed = sys.argv[1], int(sys.argv[2])
r = random.Random(seed)
words = [r.randbytes(1 + r.randrange(9)) for _ in range(3000)]

def content(n):
    out = bytearray()
    while len(out) < n:
        out += r.choice(words)
    return bytes(out[:n])

def write(path):
    kind = r.randrange(100)
    n = r.randrange(20000) if kind < 90 else r.randrange(900000)
    with open(path, "wb") as f:
        f.write(content(n))

if seed == 0:
    for d in range(80):
        os.makedirs(f"{root}/d{d}")
        for f in range(40):
            write(f"{root}/d{d}/f{f}")
else:
    for _ in range(64):
        write(f"{root}/d{r.randrange(80)}/f{r.randrange(45)}")
END
}

measure() { # REPO: seconds to read the newest snapshot
	sync
	echo 3 >/proc/sys/vm/drop_caches
	rm -rf /dev/shm/yore-bench-out
	local began=$EPOCHREALTIME
	yore restore -q -r "$1" h/t@latest /dev/shm/yore-bench-out
	awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }'
	rm -rf /dev/shm/yore-bench-out
}

best() { sort -n | head -n 1; }

for threshold in "${@:-70}"; do
	repo=$root/repo-$threshold
	rm -rf "$root/tree"
	yore init -q --no-passphrase -r "$repo"
	copied=0 spent=0
	for ((i = 0; i < rounds; i++)); do
		tree "$i"
		yore backup -q -r "$repo" --host h --source t "$root/tree"
		yore forget -q -r "$repo" --keep-last "$kept"
		began=$EPOCHREALTIME
		n=$(yore prune -r "$repo" --grace 0s --unsafe-grace \
			--threshold "$threshold" --json | jq .written_bytes)
		spent=$(awk -v s="$spent" -v a="$began" -v b="$EPOCHREALTIME" \
			'BEGIN { print s + b - a }')
		copied=$((copied + n))
	done
	fresh=$root/fresh
	rm -rf "$fresh"
	yore init -q --no-passphrase -r "$fresh"
	yore backup -q -r "$fresh" --host h --source t "$root/tree"
	: >"$root/old"
	: >"$root/new"
	for ((i = 0; i < runs; i++)); do
		measure "$repo" >>"$root/old"
		measure "$fresh" >>"$root/new"
	done
	old=$(best <"$root/old") new=$(best <"$root/new")
	awk -v t="$threshold" -v o="$old" -v n="$new" -v c="$copied" \
		-v b="$(du -sb "$repo/data" | cut -f1)" -v s="$spent" \
		-v f="$(du -sb "$fresh/data" | cut -f1)" -v r="$rounds" \
		-v p="$(find "$repo/data" "$repo/meta" -type f | wc -l)" 'BEGIN {
		printf "threshold %d: restored in %.2f s, fresh %.2f s: %.2f of " \
			"its speed; %.1f MB and %d packs, fresh %.1f MB; %.1f MB " \
			"copied in %d prunes of %.2f s\n",
			t, o, n, n / o, b / 1e6, p, f / 1e6, c / 1e6, r, s / r }'
done
