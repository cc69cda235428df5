#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the user may not read is named, the rest is saved, the status is 3; and
# what was saved of it before stays in earlier snapshots.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

user=()
if [ "$(id -u)" = 0 ]; then
	user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	chown 65534:65534 . "$HOME"
fi
"${user[@]}" bash -e <<'END'
mkdir -p tree/{open,closed,listed}
echo 1 >tree/open/file
echo 2 >tree/secret
head -c 500000 /dev/urandom >tree/big-secret
echo 3 >tree/closed/file
echo 4 >tree/listed/file
END
export YORE_REPOSITORY=$work/repo
"${user[@]}" yore init -q --no-passphrase
"${user[@]}" yore backup -q --host h --source t tree
chmod 0 tree/secret tree/big-secret tree/closed
chmod 444 tree/listed

run_status 3 "${user[@]}" yore backup -q --host h --source t tree
for what in secret big-secret closed listed/file; do
	says err "$what: .*[Pp]ermission denied"
done
[ "$(wc -l <err)" = 4 ] || fail "not four lines: $(cat err)"
"${user[@]}" yore cat h/t:open/file | cmp - tree/open/file
run_status 3 "${user[@]}" yore backup --json -q --host h --source t tree
[ "$(grep -c '"error"' out)" = 4 ] || fail "no JSON lines: $(cat out)"

chmod -R u+rwX tree
first=$("${user[@]}" yore snapshots h/t | sed -n "2s, .*,,p")
"${user[@]}" yore restore -q "h/t@$first" new
[ "$(cat new/secret new/closed/file)" = "$(printf '2\n3')" ] ||
	fail 'the first snapshot has changed'
"${user[@]}" yore backup -q --host h --source t tree
"${user[@]}" yore restore -q h/t again
same_tree tree again
