# SPDX-License-Identifier: GPL-2.0-or-later
#
# Replicas that other programs wrote, and tests of them.
# (.gitattributes merges this file line by line: no continued lines.)

foreign_litestream03 = tests/unit/scratch.h tests/foreign/litestream03_replica.c tests/foreign/litestream03_replica.h tests/unit/foreign_fixture.c tests/unit/foreign_fixture.h
foreign_tests =
foreign_tests += tests/foreign/test_litestream03
tests_foreign_test_litestream03_SOURCES = tests/foreign/test_litestream03.c $(foreign_litestream03)
foreign_tests += tests/foreign/test_litestream03_damage
tests_foreign_test_litestream03_damage_SOURCES = tests/foreign/test_litestream03_damage.c $(foreign_litestream03)
foreign_tests += tests/foreign/test_litestream03_threads
tests_foreign_test_litestream03_threads_SOURCES = tests/foreign/test_litestream03_threads.c $(foreign_litestream03)
thread_tests += tests/foreign/test_litestream03_threads
foreign_tests += tests/foreign/test_litestream03_states
tests_foreign_test_litestream03_states_SOURCES = tests/foreign/test_litestream03_states.c $(foreign_litestream03)

unit_tests += $(foreign_tests)
EXTRA_DIST += tests/foreign/litestream03
unit_tests += tests/foreign/test_litestream05
foreign_litestream05 = tests/foreign/litestream05_replica.c tests/foreign/litestream05_replica.h tests/unit/foreign_fixture.c tests/unit/foreign_fixture.h
unit_tests += tests/foreign/test_litestream05_damage
tests_foreign_test_litestream05_SOURCES = tests/foreign/test_litestream05.c tests/foreign/litestream05_replica.c tests/foreign/litestream05_replica.h $(foreign_litestream03)
tests_foreign_test_litestream05_damage_SOURCES = tests/foreign/test_litestream05_damage.c $(foreign_litestream05)
unit_tests += tests/foreign/test_litestream05_whole
tests_foreign_test_litestream05_whole_SOURCES = tests/foreign/test_litestream05_whole.c $(foreign_litestream05)
EXTRA_DIST += tests/foreign/litestream05
EXTRA_DIST += tests/foreign/litestream05.sh
dist_check_SCRIPTS += tests/foreign/litestream05_mount.sh
EXTRA_DIST += tests/foreign/others.py
EXTRA_DIST += tests/foreign/others.sh
dist_check_SCRIPTS += tests/foreign/others_mount.sh
dist_check_SCRIPTS += tests/foreign/others_s3.sh
dist_check_SCRIPTS += tests/foreign/others_offline.sh
dist_check_SCRIPTS += tests/foreign/appear.sh
dist_check_SCRIPTS += tests/foreign/absent.sh
check_PROGRAMS += tests/foreign/make_ltx
unit_helpers += tests/foreign/make_ltx
tests_foreign_make_ltx_LDADD = libyore.a $(LZ4_LIBS)
EXTRA_DIST += tests/foreign/litestream03_live.sh
dist_check_SCRIPTS += tests/foreign/litestream05_s3.sh
dist_check_SCRIPTS += tests/foreign/litestream05_ceph.sh
