# SPDX-License-Identifier: GPL-2.0-or-later
#
# One program a line, made of the .c file of the same name; a test that needs
# more files or libraries says so with tests_unit_test_NAME_SOURCES / _LDADD.
# Tests of threads are listed in thread_tests too, which runs under TSan.
# (.gitattributes merges this file line by line: no continued lines.)

unit_tests += tests/unit/test_attributes
unit_tests += tests/unit/test_buf
unit_tests += tests/unit/test_bytes
unit_tests += tests/unit/test_cancel
unit_tests += tests/unit/test_cut
unit_tests += tests/unit/test_err
unit_tests += tests/unit/test_exclude
unit_tests += tests/unit/test_fault
unit_tests += tests/unit/test_fetch
unit_tests += tests/unit/test_fetch_ahead
unit_tests += tests/unit/test_fetch_chunk
unit_tests += tests/unit/test_fetch_stretch
unit_tests += tests/unit/test_fetch_readahead
unit_tests += tests/unit/test_fetch_table
unit_tests += tests/unit/test_hex
unit_tests += tests/unit/test_history
unit_tests += tests/unit/test_id
unit_tests += tests/unit/test_keyring
unit_tests += tests/unit/test_listing
unit_tests += tests/unit/test_map
unit_tests += tests/unit/test_packer
unit_tests += tests/unit/test_scan
unit_tests += tests/unit/test_scan_races
unit_tests += tests/unit/test_scan_rules
unit_tests += tests/unit/test_seal
unit_tests += tests/unit/test_sign
unit_tests += tests/unit/test_sink_directory
unit_tests += tests/unit/test_slot
unit_tests += tests/unit/test_store_directory
unit_tests += tests/unit/test_view
unit_tests += tests/unit/test_when

unit_tests += tests/unit/test_page
unit_tests += tests/unit/test_page_refused
unit_tests += tests/unit/test_object
unit_tests += tests/unit/test_xattrs
unit_tests += tests/unit/test_segment
unit_tests += tests/unit/test_header
unit_tests += tests/unit/test_record
unit_tests += tests/unit/test_catalog
unit_tests += tests/unit/test_frozen
thread_tests += tests/unit/test_cancel
thread_tests += tests/unit/test_fetch
thread_tests += tests/unit/test_fetch_ahead
thread_tests += tests/unit/test_fetch_chunk
thread_tests += tests/unit/test_fetch_stretch
thread_tests += tests/unit/test_history
thread_tests += tests/unit/test_id
thread_tests += tests/unit/test_scan
thread_tests += tests/unit/test_scan_races
thread_tests += tests/unit/test_seal
thread_tests += tests/unit/test_sink_directory
thread_tests += tests/unit/test_store_directory
unit_tests += tests/unit/test_native_faults
unit_tests += tests/unit/test_native_hostile
unit_tests += tests/unit/test_native_history
unit_tests += tests/unit/test_native_lookahead
unit_tests += tests/unit/test_native_records
unit_tests += tests/unit/test_native_state
unit_tests += tests/unit/test_native_view
unit_tests += tests/unit/test_native_walk
unit_tests += tests/unit/test_nodes
unit_tests += tests/unit/test_tag_name
unit_tests += tests/unit/test_mount_options
thread_tests += tests/unit/test_native_view
thread_tests += tests/unit/test_native_history
thread_tests += tests/unit/test_native_lookahead

EXTRA_DIST += tests/unit/unit.h
EXTRA_DIST += tests/unit/crypto_vectors.h
EXTRA_DIST += tests/unit/crypto_vectors.py
EXTRA_DIST += tests/unit/directory.h
EXTRA_DIST += tests/unit/raw_page.h
EXTRA_DIST += tests/unit/same.h
EXTRA_DIST += tests/unit/samples.h
EXTRA_DIST += tests/unit/records.h
EXTRA_DIST += tests/unit/format_vectors.h
tests_unit_test_fetch_SOURCES = tests/unit/test_fetch.c tests/unit/fetch_fixture.c tests/unit/fetch_fixture.h
tests_unit_test_fetch_ahead_SOURCES = tests/unit/test_fetch_ahead.c tests/unit/fetch_fixture.c tests/unit/fetch_fixture.h
tests_unit_test_fetch_chunk_SOURCES = tests/unit/test_fetch_chunk.c tests/unit/fetch_fixture.c tests/unit/fetch_fixture.h
tests_unit_test_fetch_stretch_SOURCES = tests/unit/test_fetch_stretch.c tests/unit/fetch_fixture.c tests/unit/fetch_fixture.h
tests_unit_test_native_view_SOURCES = tests/unit/test_native_view.c tests/unit/model.c tests/unit/model_compare.c tests/unit/model.h tests/unit/forge.c tests/unit/forge.h
tests_unit_test_nodes_LDADD = libyorefs.a $(LDADD)
tests_unit_test_tag_name_LDADD = libyorefs.a $(LDADD)
tests_unit_test_mount_options_LDADD = libyorefs.a $(LDADD)
tests_unit_test_scan_SOURCES = tests/unit/test_scan.c tests/unit/scan_fixture.c tests/unit/scan_fixture.h
tests_unit_test_scan_races_SOURCES = tests/unit/test_scan_races.c tests/unit/scan_fixture.c tests/unit/scan_fixture.h
tests_unit_test_scan_rules_SOURCES = tests/unit/test_scan_rules.c tests/unit/scan_fixture.c tests/unit/scan_fixture.h
tests_unit_test_native_faults_SOURCES = tests/unit/test_native_faults.c tests/unit/model.c tests/unit/model_compare.c tests/unit/model.h tests/unit/forge.c tests/unit/forge.h
tests_unit_test_native_walk_SOURCES = tests/unit/test_native_walk.c tests/unit/forge.c tests/unit/forge.h
tests_unit_test_native_hostile_SOURCES = tests/unit/test_native_hostile.c tests/unit/forge.c tests/unit/forge.h
tests_unit_test_native_history_SOURCES = tests/unit/test_native_history.c tests/unit/snapshots.h tests/unit/forge.c tests/unit/forge.h
tests_unit_test_native_records_SOURCES = tests/unit/test_native_records.c tests/unit/snapshots.h tests/unit/forge.c tests/unit/forge.h
tests_unit_test_native_lookahead_SOURCES = tests/unit/test_native_lookahead.c tests/unit/forge.c tests/unit/forge.h
tests_unit_test_native_state_SOURCES = tests/unit/test_native_state.c tests/unit/forge.c tests/unit/forge.h
dist_check_SCRIPTS += tests/unit/crypto_vectors.sh

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
