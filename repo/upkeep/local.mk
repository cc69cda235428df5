# SPDX-License-Identifier: GPL-2.0-or-later

libyorewrite_a_SOURCES += \
	repo/upkeep/keys.c \
	repo/upkeep/keys.h \
	repo/upkeep/reach.c \
	repo/upkeep/reach.h

libyorewrite_a_SOURCES += \
	repo/upkeep/forget.c \
	repo/upkeep/forget.h \
	repo/upkeep/pinned.c \
	repo/upkeep/pinned.h \
	repo/upkeep/retention.c \
	repo/upkeep/retention.h \
	repo/upkeep/trash.c \
	repo/upkeep/trash.h \
	repo/upkeep/undo.c \
	repo/upkeep/undo.h \
	repo/upkeep/upkeep.c \
	repo/upkeep/upkeep.h
