#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz every target with libFuzzer, address and undefined sanitizers:
#   tests/fuzz/run.sh SECONDS [TARGET...]     seconds for each target
# What it finds is left in the build directory (printed); a finding that has
# been mended goes into tests/fuzz/corpus/TARGET.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${1:?usage: tests/fuzz/run.sh SECONDS [TARGET...]}
shift
work=${YORE_BUILD:-/var/tmp/yore-fuzz}
mkdir -p "$work"
cd "$work"
[ -f Makefile ] || "$top/configure" -q CC=clang --enable-fuzz \
	--enable-sanitize=address,undefined
make -s -j "$(nproc)" check TESTS= >build.log 2>&1 || {
	tail -n 20 build.log >&2
	exit 1
}

if [ $# = 0 ]; then
	for source in "$top"/tests/fuzz/fuzz_*.c; do
		name=${source##*/fuzz_}
		set -- "$@" "${name%.c}"
	done
fi

failed=0
for name; do
	mkdir -p "found/$name" "grown/$name" "$top/tests/fuzz/corpus/$name"
	if "tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 \
		-rss_limit_mb=1024 -malloc_limit_mb=256 \
		-artifact_prefix="found/$name/" -print_final_stats=1 \
		"grown/$name" "$top/tests/fuzz/corpus/$name" \
		>"$name.log" 2>&1; then
		echo "$name: clean, $(grep -m1 executed "$name.log")"
	else
		echo "$name: FAILED, see $work/$name.log and found/$name"
		failed=1
	fi
done
exit $failed
