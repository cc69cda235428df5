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
