# SPDX-License-Identifier: GPL-2.0-or-later
# (one module a line, so that branches merge)

libyorewrite_a_SOURCES += repo/upkeep/keys.c repo/upkeep/keys.h
libyorewrite_a_SOURCES += repo/upkeep/reach.c repo/upkeep/reach.h
libyorewrite_a_SOURCES += repo/upkeep/forget.c repo/upkeep/forget.h
libyorewrite_a_SOURCES += repo/upkeep/pinned.c repo/upkeep/pinned.h
libyorewrite_a_SOURCES += repo/upkeep/retention.c repo/upkeep/retention.h
libyorewrite_a_SOURCES += repo/upkeep/trash.c repo/upkeep/trash.h
libyorewrite_a_SOURCES += repo/upkeep/undo.c repo/upkeep/undo.h
libyorewrite_a_SOURCES += repo/upkeep/upkeep.c repo/upkeep/upkeep.h
