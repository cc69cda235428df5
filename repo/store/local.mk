# SPDX-License-Identifier: GPL-2.0-or-later

libyore_a_SOURCES += \
	repo/store/beneath.c \
	repo/store/beneath.h \
	repo/store/directory.c \
	repo/store/directory.h \
	repo/store/fault.c \
	repo/store/fault.h \
	repo/store/fault_plan.h \
	repo/store/handles.c \
	repo/store/handles.h \
	repo/store/listing.c \
	repo/store/listing.h \
	repo/store/location.c \
	repo/store/location.h \
	repo/store/store.c \
	repo/store/store.h

# What only writers use.
libyorewrite_a_SOURCES += \
	repo/store/sink.c \
	repo/store/sink_directory.c \
	repo/store/sink_fault.c
