# SPDX-License-Identifier: GPL-2.0-or-later

bin_PROGRAMS += yore
dist_man_MANS += tools/yore.1 tools/yore-json.5 tools/yore-replicas.7

# What the commands are made of; tests link it too.
noinst_LIBRARIES += libyoretools.a
libyoretools_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
libyoretools_a_SOURCES = \
	tools/resolve.c \
	tools/resolve.h \
	tools/compare.c \
	tools/compare.h \
	tools/content.c \
	tools/content.h \
	tools/dirlist.c \
	tools/dirlist.h \
	tools/interrupt.c \
	tools/json.c \
	tools/json.h \
	tools/new_secret.c \
	tools/new_secret.h \
	tools/local_view.c \
	tools/local_view.h \
	tools/match.c \
	tools/match.h \
	tools/mountpoint.c \
	tools/mountpoint.h \
	tools/options.c \
	tools/options.h \
	tools/parse.c \
	tools/parse.h \
	tools/spot.c \
	tools/spot.h \
	tools/print.c \
	tools/print.h \
	tools/progress.c \
	tools/progress.h \
	tools/restore.h \
	tools/restore_database.c \
	tools/restore_dir.c \
	tools/restore_entry.c \
	tools/restore_meta.c \
	tools/restore_pool.c \
	tools/restore_report.c \
	tools/restore_tree.c \
	tools/tool.c \
	tools/tool.h \
	tools/walk.c \
	tools/walk.h \
	tools/xattr.c \
	tools/xattr.h

yore_SOURCES = \
	tools/backup.c \
	tools/backup.h \
	tools/backup_input.c \
	tools/backup_options.c \
	tools/cache.c \
	tools/cat.c \
	tools/check.c \
	tools/copy.c \
	tools/copy.h \
	tools/copy_mirror.c \
	tools/count.c \
	tools/count.h \
	tools/diff.c \
	tools/evict.c \
	tools/find.c \
	tools/agree.c \
	tools/agree.h \
	tools/forget.c \
	tools/forget.h \
	tools/forget_print.c \
	tools/forget_sources.c \
	tools/forget_thin.c \
	tools/forget_undo.c \
	tools/head.c \
	tools/init.c \
	tools/keep.c \
	tools/keep.h \
	tools/key.c \
	tools/ls.c \
	tools/main.c \
	tools/mount.c \
	tools/needs.c \
	tools/places.c \
	tools/places.h \
	tools/prefetch.c \
	tools/prune.c \
	tools/rebuild.c \
	tools/replicate.c \
	tools/replicate.h \
	tools/replicate_control.c \
	tools/replicate_restore.c \
	tools/replicate_socket.c \
	tools/replicate_watch.c \
	tools/restore.c \
	tools/snapshots.c \
	tools/stats.c \
	tools/status.c \
	tools/umount.c \
	tools/formats.c \
	tools/version.c \
	tools/versions.c
yore_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
yore_LDADD = libyoretools.a libyorewrite.a libyore.a
