# SPDX-License-Identifier: GPL-2.0-or-later
#
# One program a line, made of the .c file of the same name; a test that needs
# more files or libraries says so with tests_unit_test_NAME_SOURCES / _LDADD.
# Tests of threads are listed in thread_tests too, which runs under TSan.
# (.gitattributes merges this file line by line: no continued lines.)

unit_tests += tests/unit/test_buf
unit_tests += tests/unit/test_bytes
unit_tests += tests/unit/test_cut
unit_tests += tests/unit/test_err
unit_tests += tests/unit/test_exclude
unit_tests += tests/unit/test_hex

EXTRA_DIST += tests/unit/unit.h

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
