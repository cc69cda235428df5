#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the size of directory pages costs (DESIGN, "Sizes"):
#   tests/bench/pages.sh TREE      as root (caches are dropped), in a checkout
# Builds yore once for each size and backs up TREE and a directory of 10,000
# files; then one of these is touched.  Works in BENCH_ROOT, which it leaves.
set -eu
tree=$(realpath "${1:?usage: pages.sh TREE}")
top=$(cd "$(dirname "$0")/../.." && pwd)
root=${BENCH_ROOT:-/var/tmp/yore-bench}/pages
runs=${RUNS:-3} before=0
mkdir -p "$root/mnt" "$root/flat"
export XDG_STATE_HOME=$root/state

# build MIN MAX ONE-IN: in $bin
build() {
	bin=$root/build-$1
	[ ! -x "$bin/yore" ] || return 0
	mkdir -p "$bin"
	git -C "$top" archive HEAD | tar -x -C "$bin"
	sed -i -e "s/\(#define MAP_PAGE_MIN\).*/\1 ${1}u/" \
		-e "s/\(#define MAP_PAGE_MAX\).*/\1 ${2}u/" \
		-e "s/\(#define MAP_PAGE_ONE_IN\).*/\1 $3/" "$bin/repo/write/map.h"
	(cd "$bin" && autoreconf -i && ./configure && make -j2 yore yorefs) \
		>"$bin/log" 2>&1
}

bytes() { # of the files below DIR
	find "$1" -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'
}

# asked: gets and bytes the mount has asked of its store
asked() {
	sed -n 's/.*"store_\(get_requests\|bytes\)_total": \([0-9]*\).*/\2/p' \
		"$root/mnt/.yore/metrics.json" | paste -sd' '
}

cold() { # COMMAND...
	sync
	echo 3 >/proc/sys/vm/drop_caches
	fresh "$@"
}

# fresh COMMAND...: in a fresh mount; sets gets, got (bytes), seconds
fresh() {
	local before after begin
	"$bin/yore" mount -r "$repo" "$root/mnt"
	stat "$root/mnt/latest/h" >/dev/null
	before=$(asked)
	begin=$(date +%s.%N)
	(cd "$root/mnt/latest/h" && "$@") >/dev/null
	seconds=$(echo "$(date +%s.%N) - $begin" | bc)
	after=$(asked)
	"$bin/yore" umount "$root/mnt"
	gets=$((${after% *} - ${before% *}))
	got=$((${after#* } - ${before#* }))
}

[ -e "$root/flat/9999" ] ||
	(cd "$root/flat" && head -c 10240000 /dev/urandom |
		split -a 4 -d -b 1024 - '')
for size in ${SIZES:-16 32 64 128}; do
	build $((size * 384)) $((size * 3072)) $((size * 16))
	repo=$root/repo flat=0 again=0 found=0 n=0
	# pages end elsewhere in each repository: the mean of some
	for one in {0100..9900..350}; do
		rm -rf "$repo"
		"$bin/yore" init -q -r "$repo" --no-passphrase 2>/dev/null
		for _ in 1 2; do
			"$bin/yore" backup -q -r "$repo" --host h \
				--source flat "$root/flat"
			last=$((before)) before=$(bytes "$repo/meta")
			touch "$root/flat/$one"
		done
		flat=$((flat + last)) again=$((again + before - last))
		before=0
		fresh stat "flat/$one"
		found=$((found + got)) n=$((n + 1))
	done
	rm -rf "$repo"
	"$bin/yore" init -q -r "$repo" --no-passphrase 2>/dev/null
	"$bin/yore" backup -q -r "$repo" --host h --source tree "$tree"
	echo "$size KiB: tree $(bytes "$repo/meta"), flat $((flat / n))," \
		"one touched $((again / n));" \
		"one of flat cold: $gets gets $((found / n)) bytes"
	for ((i = 0; i < runs; i++)); do
		cold ls -lR tree
		echo "    ls -lR cold: $gets gets $got bytes $seconds s"
		cold find tree -ls
		echo "    find cold: $gets gets $got bytes $seconds s"
	done
done
