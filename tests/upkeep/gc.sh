# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For tests of what is pruned meanwhile: . tests/lib.sh, then this.

states=$top_builddir/tests/upkeep/states
stopped=$top_builddir/tests/upkeep/stopped

# records [SOURCE]: the newest record of a source; of all sources, all of them
# by number
records() {
	if [ -n "${1-}" ]; then
		yore snapshots --json "$1" | jq -r 'select(.id).id' | tail -n 1 >id
		(cd repo && find snap -name "*-$(cat ../id)")
	else
		(cd repo && find snap -type f | sort -t/ -k3)
	fi
}
packs() { (cd repo && find data meta -type f | sort); }
newest() { records | tail -n 1; }

# state KIND OBJECT...: one more state, with all of these objects
state() {
	local kind=$1 args=()
	shift
	for object; do args+=("$kind" "$object"); done
	"$states" put repo "${args[@]}"
}

# refs RECORD: packs that it refers to
refs() { "$states" refs repo "$1" | awk '{ print $2 }' | sort -u; }

# refers_to_none RECORD FILE: of the packs that the file lists
refers_to_none() {
	refs "$1" >refs
	[ -s refs ] || fail "$1 refers to nothing"
	! comm -12 refs "$2" | grep . || fail "$1 refers to what is to be avoided"
}

# back_up [OPTIONS]: a snapshot of tree; what it says is in $work/said
back_up() {
	yore backup --json --host h --source "${source:-t}" "$@" tree >said 2>err
	[ ! -s err ] || [ -n "${complains-}" ] ||
		{ cat err >&2; fail 'a backup that complained'; }
}
said() { jq -rs "map(select(.type == \"summary\"))[0].$1" said; }

# a tree of whatever refers to packs, and of what does not
make_tree() {
	mkdir -p tree/sub/empty
	for i in {1..60}; do head -c 3000 /dev/urandom >tree/sub/small$i; done
	head -c 4000000 /dev/urandom >tree/big
	truncate -s 3M tree/holes
	head -c 200000 /dev/urandom >>tree/holes
	ln tree/big tree/sub/also-big
	ln tree/sub/small1 tree/also-small
	echo inline >tree/inline
	# with interior pages that lie together
	sqlite3 tree/database "pragma page_size = 512; create table t(a, b);
		with recursive c(i) as (select 1 union all select i + 1 from c
			where i < 4000) insert into t
			select randomblob(9), randomblob(90) from c;
		create index ta on t(a)"
	head -c 600 /dev/urandom | base64 -w 0 >value
	setfattr -n user.long -v "$(cat value)" tree/big
	setfattr -n user.long -v "x$(cat value)" tree/sub
	setfattr -n user.long -v "y$(cat value)" tree
}

# restores SNAPSHOT-RECORD [QUIETLY]: it is what tree is
restores() {
	local id=${1##*-}
	rm -rf back
	yore restore "@$id" back >/dev/null 2>err || { cat err; fail "$1 is not whole"; }
	same_tree tree back
	[ -z "${2-}" ] || [ ! -s err ] || { cat err >&2; fail "$1: not quietly"; }
}

# stands_still WHEN SCRIPT: a backup that does
stands_still() {
	records >before
	status=0
	"$stopped" repo tree "$1" "bash -e $2" 2>err || status=$?
}
# refused WHAT: no snapshot was made, and the next run makes it
refused() {
	[ "$status" = 1 ] || fail "$1: a snapshot was made"
	one_line err
	says err 'was pruned meanwhile: run it again'
	records | same before -
	yore snapshots >listed
	[ "$(grep -c h/t listed)" = "$(wc -l <before)" ] || fail "$1: still listed"
	# what was used all the same is found by what the index says no more
	# shellcheck disable=SC2046
	state gone $(cat victims)
	back_up
	restores "$(newest)" quietly
}
passed() {
	[ "$status" = 0 ] || { cat err >&2; fail "$1: failed"; }
	restores "$(newest)" quietly
}
