#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packs spoiled, checked, backed up again: healed (heal.py).
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

PATH=$top_builddir/tests/upkeep:$PATH
export PYTHONPATH=$top_srcdir/tests/upkeep PYTHONDONTWRITEBYTECODE=1
python3 "$top_srcdir/tests/upkeep/heal.py" "$work/m"
