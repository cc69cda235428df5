#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# SOURCE@TIME:PATH means what yore(1) says, and says so when it means nothing.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

make_repository
mkdir -p tree/docs
for day in 18 19 20; do
	echo $day >tree/docs/day
	yore backup -q --host web1 --source home-ann \
		--time 2025-11-${day}T10:32:15Z tree
done
yore backup -q --source local tree

# is ADDRESS CONTENT
is() {
	run_status 0 yore cat "$1"
	[ "$(cat out)" = "$2" ] || fail "$1 is $(cat out), not $2"
}
is web1/home-ann:docs/day 20
is web1/home-ann@latest:docs/day 20
is web1/home-ann@:/docs//./day 20
is web1/home-ann@2025-11-19:docs/day 19
is web1/home-ann@2025-11-18T10-32-15Z:docs/day 18
is web1/home-ann@2025-11-19T11:32:15+01:00:docs/day 19
is web1/home-ann@2025-11-19T10:32:14Z:docs/day 18
is web1/home-ann@10:32:docs/day 20
is web1/home-ann@yesterday:docs/day 20
is web1/home-ann@@1763548400:docs/day 19
is local:docs/day 20
is "$(uname -n)/local@now:docs/day" 20
id=$(yore snapshots --json web1/home-ann | jq -r .id | sed -n 2p)
is "web1/home-ann@${id:0:8}:docs/day" 19
is "@$id:docs/day" 19

# wrong PATTERN ADDRESS: one line that says what there is instead
wrong() {
	run_status 1 yore cat "$2"
	one_line err
	says err "$1"
}
wrong 'no source web1/home-anne: there is .*web1/home-ann' web1/home-anne:x
wrong 'no source .*/home-ann: there is' home-ann:docs/day
wrong 'no snapshot at 2025-11-17: the first is 2025-11-18T10-32-15Z' \
	web1/home-ann@2025-11-17:docs/day
wrong 'whenever: neither a time nor a snapshot' web1/home-ann@whenever:docs/day
wrong 'docs/night: no such file' web1/home-ann:docs/night
wrong '\.\. is not allowed' web1/home-ann:docs/../docs/day
wrong 'belongs to web1/home-ann' "local@$id:docs/day"
wrong 'is a directory' web1/home-ann:docs
