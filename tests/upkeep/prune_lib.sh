# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests of pruning: sources that change, what their snapshots must hold,
# and prunes that do not wait.
. "${top_srcdir:-.}/tests/lib.sh"

mkdir -p "$work/must"

# prune [OPTIONS]: one that waits for nothing.
prune() {
	yore prune --grace 0s --unsafe-grace "$@"
}

# change DIR SEED: some files come, some change, some go.
change() {
	python3 "$top_srcdir/tests/upkeep/change.py" "$1" "$2"
}

# manifest DIR: every file's hash and name.
manifest() {
	(cd "$1" && find . -type f -print0 | LC_ALL=C sort -z |
		xargs -0r sha256sum)
}

# backup DIR NAME: a snapshot of it, called after the time that is printed, and
# what it must hold.
made=0
backup() {
	local time=$((1700000000 + 60 * (SECONDS * 100 + ++made)))
	yore backup -q --host h --source "$2" --time "@$time" "$1"
	manifest "$1" >"$work/must/$2@$time"
	snapshot=$2@$time
}

# remove SNAPSHOT
remove() {
	yore forget -q "h/$(at "$1")" || fail "$1 could not be forgotten"
	mv "$work/must/$1" "$work/forgotten.$1"
}

# at SNAPSHOT: as an address has it.
at() {
	echo "${1%@*}@$(date -u -d "@${1#*@}" +%Y-%m-%dT%H-%M-%SZ)"
}

# all_there: every snapshot holds what it must.
all_there() {
	local s
	for s in $(ls "$work/must"); do
		rm -rf "$work/back"
		yore restore -q "h/$(at "$s")" "$work/back" 2>"$work/restore.err" || {
			cat "$work/restore.err"
			fail "$s cannot be restored"
		}
		manifest "$work/back" | cmp - "$work/must/$s" ||
			fail "$s has changed"
	done
}

# packs REPO: their names.
packs() {
	(cd "$1" && find data meta -type f 2>/dev/null | LC_ALL=C sort)
}

# field NAME: of the last line of JSON on standard input.
field() {
	tail -n 1 | jq -r ".$1"
}
