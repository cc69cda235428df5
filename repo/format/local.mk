# SPDX-License-Identifier: GPL-2.0-or-later

libyorecodec_a_SOURCES += \
	repo/format/entry.h \
	repo/format/object.h \
	repo/format/record.h \
	repo/format/ref.h
