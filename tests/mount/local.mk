# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell test:  dist_check_SCRIPTS += tests/mount/NAME.sh  (it is run too)

# fakefs mounts a history that lies in memory, for counting requests.
check_PROGRAMS += tests/mount/fakefs
tests_mount_fakefs_SOURCES = \
	tests/mount/fake_history.c \
	tests/mount/fake_history.h \
	tests/mount/fake_tree.c \
	tests/mount/fake_tree.h \
	tests/mount/fake_view.c \
	tests/mount/fakefs.c
tests_mount_fakefs_CPPFLAGS = $(AM_CPPFLAGS) $(FUSE_CPPFLAGS)
tests_mount_fakefs_LDADD = libyorefs.a libyore.a $(LIBYORE_LIBS) $(FUSE_LIBS)
