# SPDX-License-Identifier: GPL-2.0-or-later
#
# One program a line, made of the .c file of the same name; a test that needs
# more files or libraries says so with tests_unit_test_NAME_SOURCES / _LDADD.

unit_tests =

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
