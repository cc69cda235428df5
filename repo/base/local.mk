# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/base/auto.h \
	repo/base/buf.h \
	repo/base/bytes.h \
	repo/base/clock.h \
	repo/base/err.h \
	repo/base/hex.h \
	repo/base/log.h
