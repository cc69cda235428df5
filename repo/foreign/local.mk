# SPDX-License-Identifier: GPL-2.0-or-later
#
# (.gitattributes merges this file line by line: no continued lines.)

libyore_a_SOURCES += repo/foreign/gzip.c repo/foreign/gzip.h
libyore_a_SOURCES += repo/foreign/json.c repo/foreign/json.h
libyore_a_SOURCES += repo/foreign/json_scan.c repo/foreign/json_scan.h
libyore_a_SOURCES += repo/foreign/kept.c repo/foreign/kept.h
libyore_a_SOURCES += repo/foreign/kept_key.c repo/foreign/kept_key.h
libyore_a_SOURCES += repo/foreign/kept_scratch.c repo/foreign/kept_scratch.h
libyore_a_SOURCES += repo/foreign/lz4.c repo/foreign/lz4.h
libyore_a_SOURCES += repo/foreign/unpack.c repo/foreign/unpack.h
libyore_a_SOURCES += repo/foreign/zstd.c repo/foreign/zstd.h
libyore_a_SOURCES += \
	repo/foreign/alopex.c \
	repo/foreign/alopex.h \
	repo/foreign/alopex_manifest.c \
	repo/foreign/alopex_manifest.h \
	repo/foreign/alopex_view.c \
	repo/foreign/alopex_view.h \
	repo/foreign/listed.c \
	repo/foreign/listed.h \
	repo/foreign/gzip.c \
	repo/foreign/gzip.h \
	repo/foreign/json.c \
	repo/foreign/json.h \
	repo/foreign/json_scan.c \
	repo/foreign/json_scan.h \
	repo/foreign/lz4.c \
	repo/foreign/lz4.h \
	repo/foreign/points.c \
	repo/foreign/points.h \
	repo/foreign/stem.c \
	repo/foreign/stem.h \
	repo/foreign/unpack.c \
	repo/foreign/unpack.h \
	repo/foreign/zstd.c \
	repo/foreign/zstd.h
libyore_a_SOURCES += repo/foreign/foreign.c repo/foreign/foreign.h repo/foreign/formats.c
libyore_a_SOURCES += repo/foreign/gather.c repo/foreign/gather.h
libyore_a_SOURCES += repo/foreign/look.c repo/foreign/look.h
libyore_a_SOURCES += repo/foreign/place.c repo/foreign/place.h
