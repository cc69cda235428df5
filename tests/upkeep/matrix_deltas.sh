#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The same of deltas: which points of a database are touched (matrix.py).
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

PATH=$top_builddir/tests/upkeep:$PATH
export PYTHONPATH=$top_srcdir/tests/upkeep PYTHONDONTWRITEBYTECODE=1
python3 "$top_srcdir/tests/upkeep/matrix.py" "$work/m" db/
