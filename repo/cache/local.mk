# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/cache/cache.h \
	repo/cache/listing.h
