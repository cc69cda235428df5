# SPDX-License-Identifier: GPL-2.0-or-later
# (one module a line, so that branches merge)

libyorewrite_a_SOURCES += repo/upkeep/keys.c repo/upkeep/keys.h
libyorewrite_a_SOURCES += repo/upkeep/reach.c repo/upkeep/reach.h
libyorewrite_a_SOURCES += repo/upkeep/forget.c repo/upkeep/forget.h
libyorewrite_a_SOURCES += repo/upkeep/pinned.c repo/upkeep/pinned.h
libyorewrite_a_SOURCES += repo/upkeep/retention.c repo/upkeep/retention.h
libyorewrite_a_SOURCES += repo/upkeep/trash.c repo/upkeep/trash.h
libyorewrite_a_SOURCES += repo/upkeep/undo.c repo/upkeep/undo.h
libyorewrite_a_SOURCES += repo/upkeep/whole.c repo/upkeep/whole.h
libyorewrite_a_SOURCES += repo/upkeep/upkeep.c repo/upkeep/upkeep.h
libyorewrite_a_SOURCES += repo/upkeep/compact.c repo/upkeep/compact.h repo/upkeep/compact_private.h
libyorewrite_a_SOURCES += repo/upkeep/compact_copy.c repo/upkeep/compact_plan.c
libyorewrite_a_SOURCES += repo/upkeep/live.c repo/upkeep/live.h
libyorewrite_a_SOURCES += repo/upkeep/now.c repo/upkeep/now.h
libyorewrite_a_SOURCES += repo/upkeep/prune.c repo/upkeep/prune.h repo/upkeep/prune_private.h
libyorewrite_a_SOURCES += repo/upkeep/prune_choose.c repo/upkeep/prune_state.c
libyorewrite_a_SOURCES += repo/upkeep/prune_sweep.c repo/upkeep/prune_walk.c
libyorewrite_a_SOURCES += repo/upkeep/sorter.c repo/upkeep/sorter.h
libyorewrite_a_SOURCES += repo/upkeep/stock.c repo/upkeep/stock.h
libyorewrite_a_SOURCES += repo/upkeep/table.c repo/upkeep/table.h
libyorewrite_a_SOURCES += repo/upkeep/check.c repo/upkeep/check.h
libyorewrite_a_SOURCES += repo/upkeep/check_faults.c
libyorewrite_a_SOURCES += repo/upkeep/check_index.c
libyorewrite_a_SOURCES += repo/upkeep/check_marks.c
libyorewrite_a_SOURCES += repo/upkeep/check_packs.c repo/upkeep/check_packs.h
libyorewrite_a_SOURCES += repo/upkeep/check_page.c repo/upkeep/check_page.h
libyorewrite_a_SOURCES += repo/upkeep/check_private.h
libyorewrite_a_SOURCES += repo/upkeep/check_read.c
libyorewrite_a_SOURCES += repo/upkeep/check_records.c
libyorewrite_a_SOURCES += repo/upkeep/check_resume.c repo/upkeep/check_resume.h
libyorewrite_a_SOURCES += repo/upkeep/check_states.c
libyorewrite_a_SOURCES += repo/upkeep/check_tree.c
libyorewrite_a_SOURCES += repo/upkeep/pack_reader.c repo/upkeep/pack_reader.h
libyorewrite_a_SOURCES += repo/upkeep/scratch.c repo/upkeep/scratch.h
libyorewrite_a_SOURCES += repo/upkeep/stretch.c repo/upkeep/stretch.h
