#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every header compiles alone, whatever was included before it.
. "${top_srcdir:-.}/tests/tree/tree.sh"

read -ra cc <<<"${YORE_TEST_CC:-gcc}"
eval "cflags=(${YORE_TEST_CFLAGS:--std=gnu11 -D_GNU_SOURCE})"

for header in $(sources h); do
	said=$("${cc[@]}" -I. "${cflags[@]}" -Wall -Wextra -Werror -fsyntax-only \
		-include "$header" -x c /dev/null 2>&1) ||
		complain "$header: does not compile alone: $(grep -m1 error <<<"$said")"
	grep -q '^#ifndef YORE_[A-Z0-9_]*_H$' "$header" ||
		complain "$header: has no guard YORE_..._H"
done
exit $status
