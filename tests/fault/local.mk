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
fault_world += tests/unit/scratch.h
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

# This one needs no faults.
check_PROGRAMS += tests/fault/test_writer_threads
TESTS += tests/fault/test_writer_threads
thread_tests += tests/fault/test_writer_threads
tests_fault_test_writer_threads_SOURCES = tests/fault/test_writer_threads.c $(fault_world)
tests_fault_test_writer_threads_LDADD = $(fault_ldadd)
tests_fault_test_writer_threads_LDFLAGS = $(fault_ldflags)

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
dist_check_SCRIPTS += tests/fault/versions.sh

# The cache, on its own; off_t has 64 bits, which shows in names of calls.
cache_fixture = tests/unit/cache_fixture.c tests/unit/cache_fixture.h
cache_wrap = $(AM_LDFLAGS) -Wl,--wrap=pwrite64 -Wl,--wrap=fallocate64
cache_wrap += -Wl,--wrap=ftruncate64 -Wl,--wrap=renameat
cache_wrap += -Wl,--wrap=unlinkat -Wl,--wrap=openat64
cache_tests = tests/fault/test_cache_errors
tests_fault_test_cache_errors_SOURCES = tests/fault/test_cache_errors.c tests/fault/cache_trap.c tests/fault/cache_trap.h $(cache_fixture)
tests_fault_test_cache_errors_LDFLAGS = $(cache_wrap)
cache_tests += tests/fault/test_cache_full
tests_fault_test_cache_full_SOURCES = tests/fault/test_cache_full.c $(cache_fixture)
cache_tests += tests/fault/test_cache_kill
tests_fault_test_cache_kill_SOURCES = tests/fault/test_cache_kill.c tests/fault/cache_trap.c tests/fault/cache_trap.h $(cache_fixture)
tests_fault_test_cache_kill_LDFLAGS = $(cache_wrap)
check_PROGRAMS += $(cache_tests)
TESTS += $(cache_tests)
