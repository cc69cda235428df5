# SPDX-License-Identifier: GPL-2.0-or-later
#
# One target a line, made of the .c file of the same name, which defines
# LLVMFuzzerTestOneInput.  Its corpus is tests/fuzz/corpus/NAME/.
# (.gitattributes merges this file line by line: no continued lines.)

fuzz_targets =
fuzz_targets += tests/fuzz/fuzz_cut
fuzz_targets += tests/fuzz/fuzz_frame
fuzz_targets += tests/fuzz/fuzz_slot
fuzz_targets += tests/fuzz/fuzz_delta
fuzz_targets += tests/fuzz/fuzz_exclude
fuzz_targets += tests/fuzz/fuzz_when
fuzz_targets += tests/fuzz/fuzz_page
fuzz_targets += tests/fuzz/fuzz_page_order
fuzz_targets += tests/fuzz/fuzz_record
fuzz_targets += tests/fuzz/fuzz_catalog
fuzz_targets += tests/fuzz/fuzz_segment
fuzz_targets += tests/fuzz/fuzz_gc
fuzz_targets += tests/fuzz/fuzz_toc
fuzz_targets += tests/fuzz/fuzz_header
fuzz_targets += tests/fuzz/fuzz_paper
fuzz_targets += tests/fuzz/fuzz_xattrs
fuzz_targets += tests/fuzz/fuzz_ranges
fuzz_targets += tests/fuzz/fuzz_http_head
fuzz_targets += tests/fuzz/fuzz_s3_ini
fuzz_targets += tests/fuzz/fuzz_s3_xml
fuzz_targets += tests/fuzz/fuzz_web_head
fuzz_targets += tests/fuzz/fuzz_ltx
fuzz_targets += tests/fuzz/fuzz_lz4
fuzz_targets += tests/fuzz/fuzz_litestream03
fuzz_targets += tests/fuzz/fuzz_wal
fuzz_targets += tests/fuzz/fuzz_alopex_manifest
fuzz_targets += tests/fuzz/fuzz_json
fuzz_targets += tests/fuzz/fuzz_tito_path
fuzz_targets += tests/fuzz/fuzz_unpack
fuzz_targets += tests/fuzz/fuzz_litestream03_replica
fuzz_targets += tests/fuzz/fuzz_tito
fuzz_targets += tests/fuzz/fuzz_zlayer

# Those that read whole replicas.
fuzz_memory = tests/fuzz/memory.c tests/fuzz/memory.h
tests_fuzz_fuzz_litestream03_replica_SOURCES = tests/fuzz/fuzz_litestream03_replica.c tests/unit/wal_fixture.c tests/unit/wal_fixture.h $(fuzz_memory)
tests_fuzz_fuzz_tito_SOURCES = tests/fuzz/fuzz_tito.c $(fuzz_memory)
tests_fuzz_fuzz_zlayer_SOURCES = tests/fuzz/fuzz_zlayer.c tests/unit/wal_fixture.c tests/unit/wal_fixture.h $(fuzz_memory)

check_PROGRAMS += $(fuzz_targets)
# Makes the corpora of repo/format's targets.
check_PROGRAMS += tests/fuzz/seeds
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/run.sh

# The main() of all targets: libFuzzer's, or one that replays the corpus.  A
# library, so that test programs with a main() of their own do not take it.
check_LIBRARIES = tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/replay.c
if FUZZ
FUZZ_MAIN = $(YORE_FUZZER)
else
FUZZ_MAIN = tests/fuzz/libreplay.a
TESTS += $(fuzz_targets)
endif
