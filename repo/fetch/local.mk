# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/fetch/ahead.c \
	repo/fetch/ahead.h \
	repo/fetch/bring.c \
	repo/fetch/bring.h \
	repo/fetch/budget.c \
	repo/fetch/budget.h \
	repo/fetch/cached.c \
	repo/fetch/cached.h \
	repo/fetch/cell.c \
	repo/fetch/cell.h \
	repo/fetch/detour.c \
	repo/fetch/detour.h \
	repo/fetch/fetch.c \
	repo/fetch/fetch.h \
	repo/fetch/flights.c \
	repo/fetch/flights.h \
	repo/fetch/gaps.c \
	repo/fetch/gaps.h \
	repo/fetch/line.c \
	repo/fetch/line.h \
	repo/fetch/nearby.c \
	repo/fetch/nearby.h \
	repo/fetch/readahead.c \
	repo/fetch/readahead.h \
	repo/fetch/stretches.c \
	repo/fetch/stretches.h \
	repo/fetch/table.c \
	repo/fetch/table.h \
	repo/fetch/together.c \
	repo/fetch/together.h \
	repo/fetch/unsealer.c \
	repo/fetch/unsealer.h
