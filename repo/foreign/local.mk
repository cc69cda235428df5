# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/foreign/gzip.c \
	repo/foreign/gzip.h \
	repo/foreign/json.c \
	repo/foreign/json.h \
	repo/foreign/json_scan.c \
	repo/foreign/json_scan.h \
	repo/foreign/lz4.c \
	repo/foreign/lz4.h \
	repo/foreign/unpack.c \
	repo/foreign/unpack.h \
	repo/foreign/zstd.c \
	repo/foreign/zstd.h
