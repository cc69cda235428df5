#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The same of the header and the key slots: every command says what is wrong, and
# there is a way back (matrix_header.py).
. "${top_srcdir:-.}/tests/lib.sh" || exit 1

export PYTHONPATH=$top_srcdir/tests/upkeep PYTHONDONTWRITEBYTECODE=1
mkdir m
python3 "$top_srcdir/tests/upkeep/matrix_header.py" "$work/m"
