#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The golden repository reads as ever: by decode.py, written from FORMAT alone,
# and by our own code, both by each of its three key slots.
set -eu
here=${top_srcdir:-.}/tests/golden
list=${top_builddir:-.}/tests/golden/list
states=${top_builddir:-.}/tests/upkeep/states
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=/dev/null
for python in python3 /usr/bin/python3 ''; do
	[ -n "$python" ] ||
		{ echo 'no python3-cryptography or -zstandard'; exit 77; }
	"$python" -c 'import cryptography, zstandard' 2>/dev/null && break
done
export PYTHONDONTWRITEBYTECODE=1
decode() {
	"$python" "$here/decode.py" "$@"
}

"$python" "$here/vectors.py" "$here/../unit/format_vectors.h" |
	diff "$here/vectors.txt" -
"$python" "$here/agree.py" "$(realpath "${list%/*}")/accepts" \
	"$(realpath "$here/../fuzz/corpus")"
for repo in "$here"/repo-*/; do
	repo=${repo%/}
	decode "$repo" | diff "$repo.txt" -
	"$list" "$repo" | diff "$repo.txt" -
	decode --places "$repo" | diff "$repo.places" -

	# the same behind each of its secrets
	cp -r "$repo" "$work/closed" && chmod -R u+w "$work/closed"
	for slot in "$work"/closed/keys/*; do
		[ "$(od -An -tu1 -j10 -N1 "$slot" | tr -d ' ')" != 0 ] ||
			rm "$slot"
	done
	! "$list" "$work/closed" 2>/dev/null
	! decode "$work/closed" >/dev/null 2>&1
	decode --password-file "$here/password" "$work/closed" |
		diff "$repo.txt" -
	decode --key-file "$here/key" "$work/closed" | diff "$repo.txt" -
	"$list" "$work/closed" passphrase "$here/password" |
		diff "$repo.txt" -
	"$list" "$work/closed" key "$here/key" | diff "$repo.txt" -
	! "$list" "$work/closed" key "$here/decode.py" 2>/dev/null
	# a damaged slot keeps no other from opening
	cp -r "$repo/keys" "$work/closed/" && chmod -R u+w "$work/closed"
	for slot in "$work"/closed/keys/*; do
		[ "$(od -An -tu1 -j10 -N1 "$slot" | tr -d ' ')" != 0 ] ||
			printf x | dd of="$slot" bs=1 seek=60 conv=notrunc \
				status=none
	done
	! "$list" "$work/closed" 2>/dev/null
	"$list" "$work/closed" key "$here/key" | diff "$repo.txt" -
	# states of pruning are chained, and nothing that readers look at
	(cd "$work/closed" && find data meta -type f | sort) >"$work/packs"
	d=$(grep -m 1 data/ "$work/packs") m=$(grep -m 1 meta/ "$work/packs")
	cp "$repo"/keys/* "$work/closed/keys/" 2>/dev/null || true
	"$states" put "$work/closed" condemn "$d" lost "$m@70:99" lost "$d"
	"$states" put "$work/closed" sentence "$m" gone "$d"
	{ cat "$repo.txt"; printf '%s\n' "state 1" \
		"    condemned data ${d##*/} 1" \
		"    lost data ${d##*/} 0 0" "    lost meta ${m##*/} 70 99" \
		"state 2" "    condemned data ${d##*/} 1" \
		"    condemned meta ${m##*/} 2" "    sentenced meta ${m##*/}" \
		"    gone data ${d##*/}" "    lost data ${d##*/} 0 0" \
		"    lost meta ${m##*/} 70 99"; } >"$work/with-states"
	decode --key-file "$here/key" "$work/closed" | diff "$work/with-states" -
	"$list" "$work/closed" key "$here/key" | diff "$repo.txt" -
	# indexes and catalogs are there for speed
	rm -r "$work/closed/idx" "$work/closed/cat"
	"$list" "$work/closed" key "$here/key" | diff "$repo.txt" -
	rm -r "$work/closed"
done
