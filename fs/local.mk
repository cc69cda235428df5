# SPDX-License-Identifier: GPL-2.0-or-later
#
# Links libyore.a only: the mount holds nothing that can write a repository.
#
#   bin_PROGRAMS += yorefs
#   dist_man_MANS += fs/yorefs.8
#   yorefs_SOURCES = fs/main.c ...
#   yorefs_CPPFLAGS = $(AM_CPPFLAGS) $(FUSE_CPPFLAGS)
#   yorefs_LDADD = libyore.a $(LIBYORE_LIBS) $(FUSE_LIBS)
