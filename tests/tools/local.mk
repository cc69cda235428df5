# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell test:  dist_check_SCRIPTS += tests/tools/NAME.sh  (it is run too)

EXTRA_DIST += tests/lib.sh tests/tools/tree.sh

dist_check_SCRIPTS += tests/tools/addresses.sh
dist_check_SCRIPTS += tests/tools/backup_exclude.sh
dist_check_SCRIPTS += tests/tools/backup_source.sh
dist_check_SCRIPTS += tests/tools/cache.sh
dist_check_SCRIPTS += tests/tools/diff.sh
dist_check_SCRIPTS += tests/tools/json.sh
dist_check_SCRIPTS += tests/tools/list.sh
dist_check_SCRIPTS += tests/tools/merge.sh
dist_check_SCRIPTS += tests/tools/messages.sh
dist_check_SCRIPTS += tests/tools/mount.sh
dist_check_SCRIPTS += tests/tools/points.sh
dist_check_SCRIPTS += tests/tools/points_back.sh
dist_check_SCRIPTS += tests/tools/prompt.sh
dist_check_SCRIPTS += tests/tools/restore_database.sh
dist_check_SCRIPTS += tests/tools/restore_killed.sh
dist_check_SCRIPTS += tests/tools/restore_overwrite.sh
dist_check_SCRIPTS += tests/tools/restore_user.sh
dist_check_SCRIPTS += tests/tools/roundtrip.sh
dist_check_SCRIPTS += tests/tools/status.sh
dist_check_SCRIPTS += tests/tools/unlock.sh
dist_check_SCRIPTS += tests/tools/versions.sh

tool_tests =
tool_tests += tests/tools/test_address
tool_tests += tests/tools/test_moments
tool_tests += tests/tools/test_parse
tool_tests += tests/tools/test_resolve
tool_tests += tests/tools/test_restore
thread_tests += tests/tools/test_restore

tools_ldadd = libyoretools.a $(LDADD)
tests_tools_test_moments_LDADD = $(tools_ldadd)
tests_tools_test_moments_SOURCES = \
	tests/mount/fake_history.c \
	tests/mount/fake_history.h \
	tests/mount/fake_moments.c \
	tests/mount/fake_moments.h \
	tests/mount/fake_tree.c \
	tests/mount/fake_tree.h \
	tests/mount/fake_view.c \
	tests/tools/test_moments.c
tests_tools_test_parse_LDADD = $(tools_ldadd)
tests_tools_test_resolve_LDADD = $(tools_ldadd)
tests_tools_test_restore_LDADD = $(tools_ldadd)
tests_tools_test_restore_SOURCES = \
	tests/tools/hostile_view.c \
	tests/tools/hostile_view.h \
	tests/tools/test_restore.c

check_PROGRAMS += $(tool_tests)
TESTS += $(tool_tests)
