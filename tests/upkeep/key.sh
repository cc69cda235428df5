#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Secrets of a repository are added, listed, changed and removed; what is in it
# stays as it is.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

for secret in one two three; do echo $secret >$secret; done
head -c 48 /dev/urandom >file.key
export YORE_REPOSITORY=$work/repo
yore init -q --password-file one
mkdir tree && echo content >tree/file
yore backup -q --password-file one --host h --source t tree
find repo -path repo/keys -prune -o -type f -print | sort | xargs sha256sum >before

# added: both open, and the one in use is marked
yore key add --password-file one --new-password-file two | grep -qE '^added key [0-9a-f]{32}$'
yore key add -q --password-file two --new-key-file file.key
yore key list --key-file file.key >out
[ "$(grep -cE '^[ *] [0-9a-f]{32}  (passphrase|key-file)  +20..-..-..T..-..-..Z$' out)" = 3 ]
says out '^\* [0-9a-f]{32}  key-file'
yore key list --json --password-file one | jq -r 'select(.in_use).kind' | grep -qx passphrase
for how in --password-file\ one --password-file\ two --key-file\ file.key; do
	# shellcheck disable=SC2086
	yore cat $how h/t:file | cmp - tree/file
done

# a wrong one opens nothing and changes nothing
run_status 11 yore key add --password-file three --new-password-file three
run_status 11 yore key list --password-file three
# what is said of the old one in the environment is not taken for the new one
run_status 11 env YORE_PASSWORD=one setsid yore key add
says err 'new passphrase is needed'
[ "$(find repo/keys -type f | wc -l)" = 3 ]

# removed: by what its id begins with, not the one in use, not the last
id=$(yore key list --password-file one --json | jq -r 'select(.in_use).id')
run_status 1 yore key remove --password-file one "$id"
says err 'in use by this very command'
run_status 1 yore key remove --password-file one ffffffffffffffffffff
run_status 1 yore key remove --password-file one ''
run_status 0 yore key remove --password-file one --force "${id:0:12}"
run_status 11 yore ls --password-file one h/t
id=$(yore key list --key-file file.key --json | jq -r 'select(.in_use).id')
run_status 0 yore key remove --password-file two "$id"
id=$(yore key list --password-file two --json | jq -r .id)
run_status 1 yore key remove --force --password-file two "$id"
says err 'the last key slot'

# changed: one slot still, of another secret; then an open one, and back
run_status 0 yore key passwd --password-file two --new-password-file three
says out 'old secret still opens copies'
run_status 11 yore ls --password-file two h/t
[ "$(find repo/keys -type f | wc -l)" = 1 ]
yore key add -q --password-file three --open
yore ls h/t >/dev/null
run_status 0 yore key passwd --password-file three --new-password-file one
run_status 0 yore key list
says out '^\* [0-9a-f]{32}  open'
id=$(yore key list --json | jq -r 'select(.kind == "open").id')
run_status 0 yore key remove --password-file one "$id"
run_status 11 setsid yore ls h/t
yore cat --password-file one h/t:file | cmp - tree/file

find repo -path repo/keys -prune -o -type f -print | sort | xargs sha256sum |
	cmp - before || fail 'data was touched'
