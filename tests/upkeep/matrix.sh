#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every object removed and spoiled in turn: check names what cannot be read, and
# nothing else (matrix.py).
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

PATH=$top_builddir/tests/upkeep:$PATH
export PYTHONPATH=$top_srcdir/tests/upkeep PYTHONDONTWRITEBYTECODE=1
python3 "$top_srcdir/tests/upkeep/matrix.py" "$work/m" cat/,data/,idx/,meta/,snap/
