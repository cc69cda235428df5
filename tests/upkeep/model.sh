#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Random backups, forgetting, pins, undos and prunes, killed now and then,
# against a model of what must be there (model.py).
# YORE_TEST_MODEL='SEED STEPS' for others.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/fault/faults.sh"

export CATALOGUED=$top_builddir/tests/upkeep/catalogued
read -r seed steps <<<"${YORE_TEST_MODEL:-6 60}"
timeout 900 python3 "$top_srcdir/tests/upkeep/model.py" "$seed" "$steps" \
	>steps 2>err || {
	tail -n 30 steps err
	fail "seed $seed"
}
tail -n 1 steps
