# SPDX-License-Identifier: GPL-2.0-or-later

libyorewrite_a_SOURCES += \
	repo/upkeep/keys.c \
	repo/upkeep/keys.h \
	repo/upkeep/reach.c \
	repo/upkeep/reach.h
