# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
# Sourced by the tests of the tree: lists sources, counts complaints.

cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 99
top_builddir=${top_builddir:-$PWD}
status=0

# Print the files below repo, fs, tools and tests with these endings.
sources() {
	local ending args=()
	for ending; do
		args+=(-o -name "*.$ending")
	done
	find repo fs tools tests -type f \( "${args[@]:1}" \) | LC_ALL=C sort
}

complain() {
	printf '%s\n' "$*"
	status=1
}

# Print "FILE INCLUDED" for every line that includes something: <x> as it
# stands, "x" without the quotes.
includes() {
	sources c h | xargs grep -HE '^[[:space:]]*#[[:space:]]*include' |
		sed -E 's/^([^:]*):[^<"]*(<[^>]*>|"[^"]*").*/\1 \2/; s/"//g'
}
