#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# yore cache: where it lies, its limit, emptying it, and what is refused.
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

# field NAME: a value of the status
field() {
	yore cache status --json "${@:2}" | jq -r ".$1"
}

# refused STATUS PATTERN COMMAND...
refused() {
	run_status "$1" "${@:3}"
	one_line err
	says err "$2"
}

# looking at it does not make it
[ "$(field directory)" = "$HOME/.cache/yore" ]
[ "$(field bytes)" = 0 ]
[ ! -e "$HOME/.cache" ]

run_status 0 yore cache limit 64M --min-free 1M
[ "$(stat -c %a "$HOME/.cache/yore")" = 700 ]
[ "$(field limit)" = $((64 << 20)) ]
[ "$(field min_free)" = $((1 << 20)) ]
run_status 0 yore cache limit 1G
[ "$(field limit)" = $((1 << 30)) ]
[ "$(field min_free)" = $((1 << 20)) ]
run_status 0 yore cache status
says out '^used .* of 1.0 GiB, 0 B pinned by 0 pins$'
export XDG_CACHE_HOME=$work/xdg
[ "$(field limit)" = $((10 << 30)) ]
unset XDG_CACHE_HOME
[ "$(field directory --cache-dir other)" = other ]

# what nobody knows is gone when it is emptied
id=0123456789abcdef0123456789abcdef
dir=$HOME/.cache/yore/$id/01
mkdir -p "$dir"
head -c 100000 /dev/urandom >"$dir/$id"
run_status 0 yore cache clear
[ ! -e "$dir/$id" ]
run_status 0 yore cache clear --pins

refused 2 'usage: yore cache' yore cache
refused 2 'frob: it is one of status' yore cache frob
refused 2 'usage: yore cache' yore cache limit
refused 2 'much: not a size' yore cache limit much
refused 2 'no -r here' yore cache clear -r x
refused 1 'at least 4194304' yore cache limit 1k
chmod 770 "$HOME/.cache/yore"
refused 1 'others may write to the cache' yore cache status
