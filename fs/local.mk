# SPDX-License-Identifier: GPL-2.0-or-later
#
# Links libyore.a only: the mount holds nothing that can write a repository.
# libyorefs.a is everything but main.c, so that tests can mount a history of
# their own.

bin_PROGRAMS += yorefs
dist_man_MANS += fs/yorefs.8
noinst_LIBRARIES += libyorefs.a

libyorefs_a_CPPFLAGS = $(AM_CPPFLAGS) $(FUSE_CPPFLAGS)
libyorefs_a_SOURCES = \
	fs/acl.c \
	fs/acl.h \
	fs/answers.c \
	fs/answers.h \
	fs/call.c \
	fs/call.h \
	fs/complaint.c \
	fs/complaint.h \
	fs/daemon.c \
	fs/daemon.h \
	fs/detach.c \
	fs/detach.h \
	fs/interrupt.c \
	fs/interrupt.h \
	fs/metrics.c \
	fs/metrics.h \
	fs/metrics_socket.c \
	fs/metrics_socket.h \
	fs/mount.c \
	fs/mount.h \
	fs/mountpoint.c \
	fs/mountpoint.h \
	fs/names.c \
	fs/names.h \
	fs/nodes.c \
	fs/nodes.h \
	fs/numbers.c \
	fs/numbers.h \
	fs/ops.c \
	fs/ops.h \
	fs/ops_dir.c \
	fs/ops_lookup.c \
	fs/ops_read.c \
	fs/ops_xattr.c \
	fs/options.c \
	fs/options.h \
	fs/picture.c \
	fs/picture.h \
	fs/random.c \
	fs/random.h \
	fs/refresh.c \
	fs/refresh.h \
	fs/reply.c \
	fs/reply.h \
	fs/root.c \
	fs/root.h \
	fs/serve.c \
	fs/serve.h \
	fs/status.c \
	fs/status.h \
	fs/store.c \
	fs/store.h \
	fs/table.c \
	fs/table.h \
	fs/tag_name.c \
	fs/tag_name.h \
	fs/tree.c \
	fs/tree.h \
	fs/tree_moments.c \
	fs/tree_moments.h \
	fs/tree_points.c \
	fs/tree_points.h \
	fs/tree_sources.c \
	fs/tree_sources.h \
	fs/tree_versions.c \
	fs/tree_versions.h \
	fs/version_name.c \
	fs/version_name.h \
	fs/views.c \
	fs/views.h

yorefs_SOURCES = fs/main.c
yorefs_CPPFLAGS = $(libyorefs_a_CPPFLAGS)
yorefs_LDADD = libyorefs.a libyore.a $(FUSE_LIBS)
