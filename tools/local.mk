# SPDX-License-Identifier: GPL-2.0-or-later
#
#   bin_PROGRAMS += yore
#   dist_man_MANS += tools/yore.1 ...
#   yore_SOURCES = tools/main.c ...
#   yore_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
#   yore_LDADD = libyorewrite.a libyore.a $(LIBYORE_LIBS) $(JANSSON_LIBS)
