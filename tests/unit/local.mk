# SPDX-License-Identifier: GPL-2.0-or-later
#
# One program a line, made of the .c file of the same name; a test that needs
# more files or libraries says so with tests_unit_test_NAME_SOURCES / _LDADD.

unit_tests = \
	tests/unit/test_buf \
	tests/unit/test_bytes \
	tests/unit/test_err \
	tests/unit/test_hex

EXTRA_DIST += tests/unit/unit.h

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
