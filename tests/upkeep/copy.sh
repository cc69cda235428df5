#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A copy has every snapshot as it was, of whatever a file system holds, though
# sealed and named otherwise; and copying again copies what is new.
. "${top_srcdir:-.}/tests/fidelity/same.sh" || exit 1
need_root
need_fuse

# by key files, which cost nothing to try, once by passphrases
passwords=(--from-password-file "$work/from.pass" --password-file "$work/to.pass")
keys=(--from-key-file "$work/from.key" --key-file "$work/to.key")
for r in from to; do
	echo $r >$r.pass
	head -c 48 /dev/urandom >$r.key
	yore init -q -r $r --key-file $r.key
	yore key add -q -r $r --key-file $r.key --new-password-file $r.pass
done
backup() {
	yore backup -q -r from --key-file from.key --host h --source t "$@" tree
}

make_everything tree
rm tree/holes/sparse # whole.sh reads a GiB
backup --tag first --time 2026-01-01T00:00:00Z
echo changed >tree/sizes/text-1000
poke tree/sizes/again 2500000 CHANGED
mv tree/list tree/moved
ln tree/sizes/again tree/another
chmod 700 tree/names
backup --time 2026-01-02T00:00:00Z
run_status 0 yore copy "${passwords[@]}" -r from --to to --dry-run
says out '^2 to be copied'
[ -z "$(ls to/snap 2>/dev/null)" ]
run_status 0 yore copy "${passwords[@]}" -r from --to to
says out '^h/t@2026-01-01T00-00-00Z: .* new content'
says out '^2 copied, 0 there already'

# only what changed since is looked at, let alone read
rm tree/sizes/random-4096
mkdir -p tree/new/dir && cp -a tree/sizes/again tree/new/dir/copy
setfattr -n user.new -v value tree/sizes/random-127
backup --tag last --time 2026-01-03T00:00:00.123456789Z
run_status 0 yore copy "${keys[@]}" -r from --to to
says out '^1 copied, 2 there already'
run_status 0 yore copy "${keys[@]}" -r from --to to
says out '^0 copied, 3 there already'

mkdir a b
mount_yore -r from --key-file from.key a
mount_yore -r to --key-file to.key b
for day in 1 2 3; do
	point=sources/h/t/snapshots/2026-01-0${day}T00-00-00*
	# shellcheck disable=SC2086
	same_listing a/$point b/$point
	# shellcheck disable=SC2086
	same_content a/$point b/$point
done
diff <(cd a && ls tags/*/h/t generations 2>/dev/null) <(cd b && ls tags/*/h/t)
diff <(yore snapshots -r from --key-file from.key --json | jq -S 'del(.snapshot,.id)') \
	<(yore snapshots -r to --key-file to.key --json | jq -S 'del(.snapshot,.id)')
