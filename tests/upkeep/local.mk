# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell test:  dist_check_SCRIPTS += tests/upkeep/NAME.sh  (it is run too)
# (one line each, so that branches merge)

dist_check_SCRIPTS += tests/upkeep/copy.sh
dist_check_SCRIPTS += tests/upkeep/copy_database.sh
dist_check_SCRIPTS += tests/upkeep/copy_killed.sh
dist_check_SCRIPTS += tests/upkeep/import.sh
dist_check_SCRIPTS += tests/upkeep/key.sh
dist_check_SCRIPTS += tests/upkeep/mirror.sh
dist_check_SCRIPTS += tests/upkeep/key_paper.sh
dist_check_SCRIPTS += tests/upkeep/key_together.sh
EXTRA_DIST += tests/upkeep/lib.sh
dist_check_SCRIPTS += tests/upkeep/forget.sh
dist_check_SCRIPTS += tests/upkeep/forget_names.sh
dist_check_SCRIPTS += tests/upkeep/forget_undo.sh
dist_check_SCRIPTS += tests/upkeep/forget_killed.sh
check_PROGRAMS += tests/upkeep/catalogued
EXTRA_DIST += tests/upkeep/prune_lib.sh
EXTRA_DIST += tests/upkeep/change.py
dist_check_SCRIPTS += tests/upkeep/prune.sh
dist_check_SCRIPTS += tests/upkeep/prune_killed.sh
dist_check_SCRIPTS += tests/upkeep/heal.sh
dist_check_SCRIPTS += tests/upkeep/matrix.sh
dist_check_SCRIPTS += tests/upkeep/matrix_deltas.sh
dist_check_SCRIPTS += tests/upkeep/rebuild.sh
EXTRA_DIST += tests/upkeep/heal.py
check_PROGRAMS += tests/upkeep/reads
tests_upkeep_reads_SOURCES = tests/upkeep/reads.c
EXTRA_DIST += tests/upkeep/matrix.py tests/upkeep/touched.py tests/upkeep/world.py
dist_check_SCRIPTS += tests/upkeep/forget_race.sh
dist_check_SCRIPTS += tests/upkeep/forget_pruned.sh
EXTRA_DIST += tests/upkeep/gc.sh
dist_check_SCRIPTS += tests/upkeep/avoided.sh
dist_check_SCRIPTS += tests/upkeep/avoided_merge.sh
dist_check_SCRIPTS += tests/upkeep/avoided_pages.sh
dist_check_SCRIPTS += tests/upkeep/avoided_streams.sh
dist_check_SCRIPTS += tests/upkeep/lost.sh
dist_check_SCRIPTS += tests/upkeep/stopped.sh
check_PROGRAMS += tests/upkeep/states
check_PROGRAMS += tests/upkeep/stopped
tests_upkeep_stopped_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sink_put -Wl,--wrap=store_list_names
dist_check_SCRIPTS += tests/upkeep/thin.sh
dist_check_SCRIPTS += tests/upkeep/thin_mount.sh
dist_check_SCRIPTS += tests/upkeep/prune_faults.sh
dist_check_SCRIPTS += tests/upkeep/prune_model.sh
dist_check_SCRIPTS += tests/upkeep/prune_rounds.sh
EXTRA_DIST += tests/upkeep/cycle_reader.py
EXTRA_DIST += tests/upkeep/cycle_lib.sh
dist_check_SCRIPTS += tests/upkeep/cycle.sh
dist_check_SCRIPTS += tests/upkeep/prune_stopped.sh
EXTRA_DIST += tests/upkeep/model.py
dist_check_SCRIPTS += tests/upkeep/model.sh
dist_check_SCRIPTS += tests/upkeep/thin_killed.sh
dist_check_SCRIPTS += tests/upkeep/thin_replicated.sh
dist_check_SCRIPTS += tests/upkeep/forget_database.sh
