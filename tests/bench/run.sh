#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Compare yore with other programs, and with the plain file system.
#   run.sh [PHASE...]     by default all: corpora, what is measured, report
# README says what is measured and which environment variables there are.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
measured='writer meta data grep big db restore many snapshots'
root=${BENCH_ROOT:-/var/tmp/yore-bench}
BENCH_SCALE=${BENCH_SCALE:-full}
BENCH_SESSION=${BENCH_SESSION:-$(date '+%F %T')}
export BENCH_SCALE BENCH_SESSION PYTHONDONTWRITEBYTECODE=1
export PATH=${YORE_BIN:+$YORE_BIN:}$PATH

# Corpora of a few megabytes, to see whether everything works.
if [ "$BENCH_SCALE" = small ]; then
	root=$root/small
	export RUNS=${RUNS:-1}
	export C1_STATES=3 C1_REPOS=${C1_REPOS-benbjohnson+litestream}
	export C2_DIRS='/usr/include/linux /usr/lib/git-core'
	export C3_MIB=20 BIG_MIB=16 C3_STATES=3 MANY=6000 FLAT=2000
	export C5_MIB=20
fi
export BENCH_ROOT=$root
export BENCH_OUT=${BENCH_OUT:-$root/results.jsonl}

# Complain about programs that are not there: "program package" lines.
check_programs() {
	local program package packages=
	while read -r program package; do
		command -v "$program" >/dev/null ||
			packages="$packages $package"
	done <<-'END'
		restic restic
		borg borgbackup
		casync casync
		mksquashfs squashfs-tools
		squashfuse_ll squashfuse
		fio fio
		sqlite3 sqlite3
		rsync rsync
		git git
		python3 python3
		findmnt util-linux
	END
	/usr/bin/python3 -c 'import llfuse' 2>/dev/null ||
		/usr/bin/python3 -c 'import pyfuse3' 2>/dev/null ||
		packages="$packages python3-pyfuse3" # for borg mount
	[ -z "$packages" ] || {
		echo "programs are missing: apt-get install$packages" >&2
		exit 1
	}
	for program in yore yorefs; do
		command -v $program >/dev/null || {
			echo "$program is not in PATH: build it and set" \
				'YORE_BIN to where it is' >&2
			exit 1
		}
	done
}

# Caches are dropped and owners restored: only root can.
check_rights() {
	[ "$(id -u)" = 0 ] || {
		echo 'run.sh must be run by root' >&2
		exit 1
	}
	[ -e /dev/fuse ] || {
		echo 'no /dev/fuse: nothing can be mounted' >&2
		exit 1
	}
}

check_space() {
	local need free
	[ "$BENCH_SCALE" = full ] || return 0
	need=$((40 << 20))
	[ ! -d "$root/repos" ] || return 0
	free=$(df -k --output=avail "$root" | tail -n 1)
	[ "$free" -ge $need ] ||
		echo "$root: 40 GiB are needed, $((free >> 20)) are free" >&2
}

report() {
	python3 "$here/report.py" "$BENCH_OUT" >"$root/report.md"
	cat "$root/report.md"
}

status=0
mkdir -p "$root"
check_rights
check_programs
check_space
# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- corpora $measured report
for phase; do
	case $phase in
	corpora) python3 "$here/gen.py" "$root/corpora" || status=1 ;;
	report) report ;;
	readme)
		python3 "$here/report.py" --into "$here/README" "$BENCH_OUT"
		;;
	*) python3 "$here/bench.py" "$phase" || status=1 ;;
	esac
done
exit $status
