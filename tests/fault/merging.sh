#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# merging.sh DIR K: bring the tree DIR from its state K - 1 to K.  Each state is
# small and brings chunks of its own, and some that an earlier state had, under
# another name: those are found by way of the index only.
set -eu
mkdir -p "$1"
cd "$1"
head -c 1500 /dev/urandom >"file$2"
mkdir "d$2"
head -c 700 /dev/urandom >"d$2/one"
ln -s one "d$2/link"
if [ "$2" -gt 2 ]; then
	cp "file$(($2 - 2))" "d$2/again"
	rm "file$(($2 - 2))"
fi
