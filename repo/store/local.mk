# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/store/directory.h \
	repo/store/fault.h \
	repo/store/store.h

# What only writers use (sinks):
# libyorewrite_a_SOURCES += repo/store/...
