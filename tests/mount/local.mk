# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell test:  dist_check_SCRIPTS += tests/mount/NAME.sh  (it is run too)

# fakefs mounts a history that lies in memory, for counting requests.
check_PROGRAMS += tests/mount/fakefs
tests_mount_fakefs_SOURCES = \
	tests/mount/fake_history.c \
	tests/mount/fake_history.h \
	tests/mount/fake_moments.c \
	tests/mount/fake_moments.h \
	tests/mount/fake_tree.c \
	tests/mount/fake_tree.h \
	tests/mount/fake_view.c \
	tests/mount/fakefs.c
tests_mount_fakefs_CPPFLAGS = $(AM_CPPFLAGS) $(FUSE_CPPFLAGS)
tests_mount_fakefs_LDADD = libyorefs.a libyore.a $(FUSE_LIBS)

# put_states stores states of a database as bases and deltas.
check_PROGRAMS += tests/mount/put_states
tests_mount_put_states_LDADD = libyorewrite.a libyore.a

EXTRA_DIST += tests/mount/mount.sh
EXTRA_DIST += tests/mount/handles.py
dist_check_SCRIPTS += tests/mount/at.sh
dist_check_SCRIPTS += tests/mount/crowd.sh
dist_check_SCRIPTS += tests/mount/databases.sh
dist_check_SCRIPTS += tests/mount/end.sh
dist_check_SCRIPTS += tests/mount/errors.sh
dist_check_SCRIPTS += tests/mount/handles.sh
dist_check_SCRIPTS += tests/mount/kinds.sh
dist_check_SCRIPTS += tests/mount/ls.sh
dist_check_SCRIPTS += tests/mount/many.sh
dist_check_SCRIPTS += tests/mount/moments.sh
dist_check_SCRIPTS += tests/mount/moments_many.sh
dist_check_SCRIPTS += tests/mount/moments_move.sh
dist_check_SCRIPTS += tests/mount/moments_numbers.sh
dist_check_SCRIPTS += tests/mount/moments_slow.sh
dist_check_SCRIPTS += tests/mount/names.sh
dist_check_SCRIPTS += tests/mount/part.sh
dist_check_SCRIPTS += tests/mount/permissions.sh
dist_check_SCRIPTS += tests/mount/refresh.sh
dist_check_SCRIPTS += tests/mount/removed.sh
dist_check_SCRIPTS += tests/mount/statfs.sh
dist_check_SCRIPTS += tests/mount/stored.sh
dist_check_SCRIPTS += tests/mount/user.sh
dist_check_SCRIPTS += tests/mount/walks.sh
dist_check_SCRIPTS += tests/mount/warm.sh
dist_check_SCRIPTS += tests/mount/xattrs.sh
dist_check_SCRIPTS += tests/mount/daemon.sh
dist_check_SCRIPTS += tests/mount/mountpoint.sh
