# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell test:  dist_check_SCRIPTS += tests/fault/NAME.sh  (it is run too)
# Programs need the fault store of --enable-faults builds.

fault_world =
fault_world += tests/fault/indexed.c
fault_world += tests/fault/indexed.h
fault_world += tests/fault/survey.c
fault_world += tests/fault/survey.h
fault_world += tests/fault/trap.c
fault_world += tests/fault/trap.h
fault_world += tests/fault/whole.c
fault_world += tests/fault/whole.h
fault_world += tests/fault/world.c
fault_world += tests/fault/world.h
fault_ldadd = libyoretools.a $(LDADD)
fault_ldflags = $(AM_LDFLAGS)
fault_ldflags += -Wl,--wrap=write -Wl,--wrap=fsync -Wl,--wrap=linkat
fault_ldflags += -Wl,--wrap=mkdirat -Wl,--wrap=unlinkat

EXTRA_DIST += tests/fault/merging.sh
EXTRA_DIST += tests/fault/states.sh

fault_tests =
fault_tests += tests/fault/test_kill
tests_fault_test_kill_SOURCES = tests/fault/test_kill.c $(fault_world)
tests_fault_test_kill_LDADD = $(fault_ldadd)
tests_fault_test_kill_LDFLAGS = $(fault_ldflags)
fault_tests += tests/fault/test_missing
tests_fault_test_missing_SOURCES = tests/fault/test_missing.c $(fault_world)
tests_fault_test_missing_LDADD = $(fault_ldadd)
tests_fault_test_missing_LDFLAGS = $(fault_ldflags)
fault_tests += tests/fault/test_read_errors
tests_fault_test_read_errors_SOURCES = tests/fault/test_read_errors.c $(fault_world)
tests_fault_test_read_errors_LDADD = $(fault_ldadd)
tests_fault_test_read_errors_LDFLAGS = $(fault_ldflags)
fault_tests += tests/fault/test_write_errors
tests_fault_test_write_errors_SOURCES = tests/fault/test_write_errors.c $(fault_world)
tests_fault_test_write_errors_LDADD = $(fault_ldadd)
tests_fault_test_write_errors_LDFLAGS = $(fault_ldflags)

if FAULTS
check_PROGRAMS += $(fault_tests)
TESTS += $(fault_tests)
endif

EXTRA_DIST += tests/fault/faults.sh

dist_check_SCRIPTS += tests/fault/cat.sh
dist_check_SCRIPTS += tests/fault/changing.sh
dist_check_SCRIPTS += tests/fault/full_disk.sh
dist_check_SCRIPTS += tests/fault/mount.sh
dist_check_SCRIPTS += tests/fault/restore.sh
dist_check_SCRIPTS += tests/fault/unreadable.sh
