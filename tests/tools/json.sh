#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every line of --json is an object that yore-json(5) describes.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

manual=$top_srcdir/tools/yore-json.5
# described TYPE: names of its members, from the manual
members() {
	sed -nE "/^\.SS $1\$/,/^\.S[SH] /s/^\.B ([a-z_]+).*/\1/p" "$manual"
}

# check COMMAND...: each line parses, its type and members are in the manual
seen=''
check() {
	run_status 0 "$@"
	[ -s out ] || fail "$* printed nothing"
	jq -rc '[.type] + (keys - ["type"]) | join(" ")' out | sort -u >lines
	while read -r type keys; do
		seen+=" $type"
		members "$type" >known
		[ -s known ] || fail "$*: $type is not in the manual"
		for key in $keys; do
			grep -qxF -e "${key%_hex}" known ||
				fail "$*: $type.$key is not in the manual"
		done
	done <lines
}

make_repository
mkdir tree
printf data >$'tree/\xff\n'
mknod tree/device c 1 3 2>/dev/null || :
ln -s target tree/link
check yore version --json
check yore init --json -r other --no-passphrase
check yore backup --json --host h --source t tree
echo more >>$'tree/\xff\n'
check yore backup --json --host h --source t tree
check yore snapshots --json
check yore snapshots --json --points
check yore ls --json
check yore ls --json -R h/t
jq -se 'map(select(.path_hex == "ff0a" and .path == "\\xff\\x0a"))
	| length == 1' out >/dev/null || fail 'the name is not there'
check yore find --json -type f h/t
first=$(yore snapshots --json | jq -r .snapshot | head -1)
check yore diff --json "h/t@$first" h/t
rm tree/link
touch tree/more
check yore diff --json h/t ./tree
check yore backup --json --host h --source t tree
check yore versions --json h/t:link
check yore versions --json h/t:device
check yore restore --json h/t out-tree
check yore stats --json
check yore cache status --json
for type in version repository cache summary snapshot source entry changed added \
	removed file_version; do
	grep -qw $type <<<"$seen" || fail "no $type was seen"
done
