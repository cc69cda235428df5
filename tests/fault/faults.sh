# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests of whole programs over the fault store; after tests/lib.sh.

{ yore snapshots -r fault:none@1:/ 2>&1 || :; } | grep -q 'KIND@N' ||
	{ echo 'needs a build with --enable-faults'; exit 77; }

# over KIND@N COMMAND...: with the repository behind that fault; the status is
# in $status, what was said in err.  A minute is enough for anything.
over() {
	local spec=$1
	shift
	status=0
	{
		YORE_REPOSITORY=fault:$spec:$work/repo timeout -s ABRT 60 "$@" \
			>out 2>err </dev/null || status=$?
	} 2>/dev/null # bash's own remark that it was killed
	[ "$status" -lt 124 ] || [ "$status" = 137 ] ||
		fail "$spec: $* ended with $status: $(cat err)"
}

# calls_of COMMAND...: how many calls of the store it makes, in $calls.
calls_of() {
	calls=0
	while over "kill@$((calls + 1))" "$@" && [ "$status" = 137 ]; do
		calls=$((calls + 1))
	done
	[ "$calls" -gt 5 ] || fail "only $calls calls: $*"
}

# What fails says why.
explained() {
	[ "$status" = 0 ] || says err '^yore: .*[a-z]'
}
