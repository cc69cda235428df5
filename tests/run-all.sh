#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Install what is needed and run all tests: with gcc everything, with clang
# the build, under address and undefined sanitizers the unit tests, under the
# thread sanitizer the tests of threads, and a release (make distcheck) with the
# tests of the tree.
# The last line is "N passed, N failed, N skipped"; the exit status is 1 when
# something failed.  Builds in YORE_BUILD, by default a fresh directory below
# /var/tmp that is removed when all went well.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
work=${YORE_BUILD:-$(mktemp -d /var/tmp/yore-tests.XXXXXX)}
jobs=$((3 * $(nproc))) # most of the time a test waits
passed=0 failed=0 skipped=0
chmod 755 "$work" # some tests run as another user

note() {
	printf '%(%H:%M:%S)T  %s\n' -1 "$*"
}

broken() {
	failed=$((failed + 1))
	note "FAILED: $1"
	[ -z "${2-}" ] || tail -n 40 "$2"
}

# A copy to build from, so that a configured or read-only tree does not matter.
copy_sources() {
	mkdir -p "$work/source"
	tar -C "$top" --exclude=./.git --exclude='./build*' --exclude='*.o' \
		--exclude='*.a' --exclude=./Makefile --exclude=./config.status \
		--exclude='*.log' --exclude='*.trs' --exclude=.deps -c . |
		tar -C "$work/source" -x
	(cd "$work/source" && autoreconf -i) >"$work/autoreconf.log" 2>&1
}

# Add up the results below a build directory, show what failed.
count_results() {
	local trs result
	while read -r trs; do
		while read -r result; do
			case $result in
			PASS | XFAIL) passed=$((passed + 1)) ;;
			SKIP)
				skipped=$((skipped + 1))
				note "skipped: ${trs#"$work/"}:" \
					"$(tail -n 2 "${trs%.trs}.log" | head -n 1)"
				;;
			*) broken "${trs#"$work/"}" "${trs%.trs}.log" ;;
			esac
		done < <(sed -n 's/^:test-result: *\([A-Z]*\).*/\1/p' "$trs")
	done < <(find "$1" -name '*.trs')
}

# stage NAME "CONFIGURE ARGUMENTS" MAKE-ARGUMENTS...: one build and its tests.
# A make that fails with no failed test to blame is a failure of its own.
stage() {
	local name=$1 configure=$2 before=$failed dir="$work/$1"
	shift 2
	note "$name: configure $configure${CFLAGS+ CFLAGS=$CFLAGS}; make $*"
	mkdir -p "$dir"
	# shellcheck disable=SC2086 # a list of words
	if ! (cd "$dir" && ../source/configure -q $configure) \
		>"$dir.log" 2>&1; then
		broken "$name: configure" "$dir.log"
		return
	fi
	make -C "$dir" -j "$jobs" -k "$@" >>"$dir.log" 2>&1
	local result=$?
	count_results "$dir"
	[ $result = 0 ] || [ "$failed" -gt "$before" ] ||
		broken "$name: make $*" "$dir.log"
}

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1
if ! "$top/tests/packages.sh" test; then
	broken 'packages: tests/packages.sh test'
elif ! copy_sources; then
	broken 'autoreconf -i' "$work/autoreconf.log"
else
	stage gcc '--enable-werror --enable-faults' check
	# what is only looked at, or runs briefly, is not optimised; and linked
	# by what takes a quarter of the time, where there is one
	! command -v ld.gold >/dev/null || export LDFLAGS=-fuse-ld=gold
	CFLAGS=-O0 stage clang 'CC=clang --enable-werror' all check TESTS=
	CFLAGS='-O1 -g1' stage address \
		'CC=clang --enable-sanitize=address,undefined' check-unit
	CFLAGS='-O1 -g1' stage thread \
		'CC=gcc --enable-sanitize=thread' check-threads
	unset LDFLAGS
	# shellcheck disable=SC2016 # make expands it
	CFLAGS=-O0 stage release '' distcheck 'TESTS=$(tree_tests)'
fi

if [ $failed = 0 ]; then
	[ -n "${YORE_BUILD-}" ] || rm -rf "$work"
else
	note "builds and logs are kept in $work"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
