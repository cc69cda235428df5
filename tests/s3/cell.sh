#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One cell of commands.sh, in its directory: cell.sh CELL COMMAND OPERATION OBJECT
# WHEN KIND.  Prints what is wrong.  The fault has been ordered already.
set -u
cell=$1 command=$2 object=$4 when=$5 kind=$6 line="$*"
patience=20
[ "$when" != 1+ ] || patience=1
repository="s3://yore/$cell?timeout=$patience"

wrong() {
	echo "$line: $*"
	exit 1
}

# yore's status is in $status; it has one, and says why it is not 0
try() {
	status=0
	timeout -s ABRT 60 yore "$@" >"$cell.out" 2>"$cell.err" </dev/null ||
		status=$?
	case $status in
	0) ;;
	1 | 3 | 10 | 11)
		grep -q '^yore: .*[a-z]' "$cell.err" ||
			wrong "$1 does not say why it ended with $status"
		;;
	*) wrong "$1 ended with $status: $(head -c 300 "$cell.err")" ;;
	esac
}

# restored_is TREE...: one of them, or the restore says that it is none
restored_is() {
	local tree
	rm -rf "$cell.tree"
	try restore -q -r "$repository" h/t "$cell.tree"
	[ $status = 0 ] || return 0
	for tree; do
		! diff -r "$tree" "$cell.tree" >/dev/null || return 0
	done
	wrong "restored something else than $*"
}

if [ "$command" = restore ]; then
	restored_is old
	# what passes is no reason to fail
	[[ $when$kind != 1@(500|429|reset|close|truncated|chunked|whole) ]] ||
		[ $status = 0 ] || wrong "$(head -c 300 "$cell.err")"
else
	try backup -q -r "$repository" --host h --source t new
	# no GET is to fail: what is slow is a busy machine
	repository="s3://yore/$cell?timeout=20"
	# one that failed may have been committed without knowing it
	case $status$kind$object in
	0lostcat) restored_is old new ;;
	0*) restored_is new ;;
	*) restored_is old new ;;
	esac
	[ "$kind" = lost ] || [ $status = 0 ] || wrong "$(cat "$cell.err")"
fi
rm -rf "$cell".*
echo "$line" >>done
