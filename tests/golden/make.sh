#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How the golden repository was made (it is kept; a new one is made only with a
# new version of the format, beside the old one):
#   tests/golden/make.sh BUILD OUTPUT       as root, on a file system with
#                                           extended attributes and ACLs
# BUILD is a build directory with yore and tests/golden/slots.  Two snapshots of
# one source and one of another; the open slot, one for tests/golden/password,
# one for tests/golden/key.  Contents are always the same; ids, keys and change
# times differ from run to run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "$1") out=$2
work=$(mktemp -d /var/tmp/yore-golden.XXXXXX)
trap 'rm -rf "$work"' EXIT

backup() {
	"$build/yore" backup -q -r "$out" --host test "$@"
}
"$build/yore" init -r "$out" --no-passphrase
"$build/tests/golden/slots" "$out" "$here/password" "$here/key"
"$here/tree.sh" 1 "$work"
backup --source tree --time 2026-11-20T10:32:15Z --tag first "$work/tree"
backup --source etc --time 2026-11-20T11:00:00Z --tag weekly --tag 'a b' \
	"$work/etc"
"$here/tree.sh" 2 "$work"
backup --source tree --time 2026-11-21T10:32:15Z "$work/tree"
rm -rf "$out/tmp"
python3 "$here/decode.py" "$out" >"$out.txt"
python3 "$here/decode.py" --places "$out" >"$out.places"
