# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell test:  dist_check_SCRIPTS += tests/replicate/NAME.sh  (it is run too)

EXTRA_DIST += tests/replicate/lib.sh tests/replicate/soak.sh

dist_check_SCRIPTS += tests/replicate/daemon.sh
dist_check_SCRIPTS += tests/replicate/doubt.sh
dist_check_SCRIPTS += tests/replicate/idle.sh
dist_check_SCRIPTS += tests/replicate/kill.sh
dist_check_SCRIPTS += tests/replicate/limit.sh
dist_check_SCRIPTS += tests/replicate/missing.sh
dist_check_SCRIPTS += tests/replicate/outage.sh
dist_check_SCRIPTS += tests/replicate/points.sh
dist_check_SCRIPTS += tests/replicate/shapes.sh
dist_check_SCRIPTS += tests/replicate/status.sh
dist_check_SCRIPTS += tests/replicate/stopped.sh
dist_check_SCRIPTS += tests/replicate/store.sh
dist_check_SCRIPTS += tests/replicate/two.sh

check_PROGRAMS += tests/replicate/ledger
EXTRA_DIST += tests/replicate/sql.h

check_PROGRAMS += tests/replicate/wal_reset
TESTS += tests/replicate/wal_reset
