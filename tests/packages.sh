#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Install the Debian packages that are missing:
#   packages.sh build   what building and running yore needs
#   packages.sh test    what the tests need on top of that
set -eu

build='autoconf automake fuse3 gcc libc6-dev libcmocka-dev
	libcurl4-openssl-dev libexpat1-dev libfuse3-dev libjansson-dev liblz4-dev
	libsqlite3-dev libssl-dev libzstd-dev make pkg-config zlib1g-dev'
test='acl attr busybox ceph-mon ceph-osd clang curl e2fsprogs git jq
	libcap2-bin libclang-rt-14-dev openssl procps python3
	python3-cryptography python3-swift python3-zstandard radosgw rsync
	sqlite3 strace universal-ctags xz-utils'

case ${1-} in
build) wanted=$build ;;
test) wanted="$build $test" ;;
*) echo 'usage: packages.sh build|test' >&2; exit 2 ;;
esac

missing=
for package in $wanted; do
	case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
	*' installed') ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
	sudo=sudo
	command -v sudo >/dev/null || {
		echo "packages are missing; as root: apt-get install$missing" >&2
		exit 1
	}
fi
echo "installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # a list of words
if ! { $sudo apt-get -q update && $sudo env DEBIAN_FRONTEND=noninteractive \
	apt-get -q -y --no-install-recommends install $missing; } >"$log" 2>&1
then
	tail -n 20 "$log" >&2
	echo "cannot install$missing" >&2
	exit 1
fi
