# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/sqlite/database_view.c \
	repo/sqlite/database_view.h \
	repo/sqlite/header.c \
	repo/sqlite/header.h \
	repo/sqlite/page_order.c \
	repo/sqlite/page_order.h \
	repo/sqlite/wal.c \
	repo/sqlite/wal.h
