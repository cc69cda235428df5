# SPDX-License-Identifier: GPL-2.0-or-later
#
# (.gitattributes merges this file line by line: no continued lines.)

libyore_a_SOURCES += repo/foreign/alopex.c repo/foreign/alopex.h
libyore_a_SOURCES += repo/foreign/alopex_manifest.c repo/foreign/alopex_manifest.h
libyore_a_SOURCES += repo/foreign/alopex_view.c repo/foreign/alopex_view.h
libyore_a_SOURCES += repo/foreign/foreign.c repo/foreign/foreign.h
libyore_a_SOURCES += repo/foreign/formats.c
libyore_a_SOURCES += repo/foreign/gather.c repo/foreign/gather.h
libyore_a_SOURCES += repo/foreign/gzip.c repo/foreign/gzip.h
libyore_a_SOURCES += repo/foreign/json.c repo/foreign/json.h
libyore_a_SOURCES += repo/foreign/json_scan.c repo/foreign/json_scan.h
libyore_a_SOURCES += repo/foreign/kept.c repo/foreign/kept.h
libyore_a_SOURCES += repo/foreign/kept_key.c repo/foreign/kept_key.h
libyore_a_SOURCES += repo/foreign/kept_scratch.c repo/foreign/kept_scratch.h
libyore_a_SOURCES += repo/foreign/listed.c repo/foreign/listed.h
libyore_a_SOURCES += repo/foreign/look.c repo/foreign/look.h
libyore_a_SOURCES += repo/foreign/lz4.c repo/foreign/lz4.h
libyore_a_SOURCES += repo/foreign/place.c repo/foreign/place.h
libyore_a_SOURCES += repo/foreign/points.c repo/foreign/points.h
libyore_a_SOURCES += repo/foreign/stem.c repo/foreign/stem.h
libyore_a_SOURCES += repo/foreign/unpack.c repo/foreign/unpack.h
libyore_a_SOURCES += repo/foreign/zstd.c repo/foreign/zstd.h
libyore_a_SOURCES += repo/foreign/litestream03/database.c repo/foreign/litestream03/database.h
libyore_a_SOURCES += repo/foreign/litestream03/history.c repo/foreign/litestream03/history.h
libyore_a_SOURCES += repo/foreign/litestream03/id.c repo/foreign/litestream03/id.h
libyore_a_SOURCES += repo/foreign/litestream03/inventory.c repo/foreign/litestream03/inventory.h
libyore_a_SOURCES += repo/foreign/litestream03/log.c repo/foreign/litestream03/log.h
libyore_a_SOURCES += repo/foreign/litestream03/log_ahead.c
libyore_a_SOURCES += repo/foreign/litestream03/log_record.c repo/foreign/litestream03/log_record.h
libyore_a_SOURCES += repo/foreign/litestream03/name.c repo/foreign/litestream03/name.h
libyore_a_SOURCES += repo/foreign/litestream03/pager.c repo/foreign/litestream03/pager.h
libyore_a_SOURCES += repo/foreign/litestream03/pages.c repo/foreign/litestream03/pages.h
libyore_a_SOURCES += repo/foreign/litestream03/replica.c repo/foreign/litestream03/replica.h
libyore_a_SOURCES += repo/foreign/litestream03/segment.c repo/foreign/litestream03/segment.h
libyore_a_SOURCES += repo/foreign/litestream03/settle.c
libyore_a_SOURCES += repo/foreign/litestream03/snapshot.c repo/foreign/litestream03/snapshot.h
libyore_a_SOURCES += repo/foreign/litestream03/vouch.c repo/foreign/litestream03/vouch.h
libyore_a_SOURCES += repo/foreign/litestream03/timeline.c repo/foreign/litestream03/timeline.h
libyore_a_SOURCES += \
	repo/foreign/alopex.c \
	repo/foreign/alopex.h \
	repo/foreign/alopex_manifest.c \
	repo/foreign/alopex_manifest.h \
	repo/foreign/alopex_view.c \
	repo/foreign/alopex_view.h \
	repo/foreign/listed.c \
	repo/foreign/listed.h \
	repo/foreign/gzip.c \
	repo/foreign/gzip.h \
	repo/foreign/json.c \
	repo/foreign/json.h \
	repo/foreign/json_scan.c \
	repo/foreign/json_scan.h \
	repo/foreign/lz4.c \
	repo/foreign/lz4.h \
	repo/foreign/points.c \
	repo/foreign/points.h \
	repo/foreign/stem.c \
	repo/foreign/stem.h \
	repo/foreign/unpack.c \
	repo/foreign/unpack.h \
	repo/foreign/zstd.c \
	repo/foreign/zstd.h
libyore_a_SOURCES += repo/foreign/foreign.c repo/foreign/foreign.h repo/foreign/formats.c
libyore_a_SOURCES += repo/foreign/gather.c repo/foreign/gather.h
libyore_a_SOURCES += repo/foreign/look.c repo/foreign/look.h
libyore_a_SOURCES += repo/foreign/place.c repo/foreign/place.h
libyore_a_SOURCES += repo/foreign/table.c repo/foreign/table.h repo/foreign/table_writer.c
libyore_a_SOURCES += repo/foreign/table_sorter.c repo/foreign/table_sorter.h
libyore_a_SOURCES += repo/foreign/tito_chunk.c repo/foreign/tito_chunk.h
libyore_a_SOURCES += repo/foreign/tito_path.c repo/foreign/tito_path.h
libyore_a_SOURCES += repo/foreign/tito_roll.c repo/foreign/tito_roll.h
libyore_a_SOURCES += repo/foreign/tito.c repo/foreign/tito.h
libyore_a_SOURCES += repo/foreign/tito_state.c repo/foreign/tito_state.h
libyore_a_SOURCES += repo/foreign/tito_view.c repo/foreign/tito_view.h
libyore_a_SOURCES += repo/foreign/pieces.c repo/foreign/pieces.h repo/foreign/pieces_private.h
libyore_a_SOURCES += repo/foreign/pieces_ahead.c repo/foreign/pieces_table.c
libyore_a_SOURCES += repo/foreign/ltx.c repo/foreign/ltx.h
libyore_a_SOURCES += repo/foreign/ltx_search.c repo/foreign/ltx_search.h
libyore_a_SOURCES += repo/foreign/ltx_verify.c repo/foreign/ltx_verify.h
libyore_a_SOURCES += repo/foreign/litestream05_files.c repo/foreign/litestream05_files.h
libyore_a_SOURCES += repo/foreign/litestream05_pages.c repo/foreign/litestream05_pages.h
libyore_a_SOURCES += repo/foreign/litestream05_replica.c repo/foreign/litestream05_replica.h
libyore_a_SOURCES += repo/foreign/litestream05_database.c repo/foreign/litestream05_database.h
libyore_a_SOURCES += repo/foreign/litestream05_read.c
libyore_a_SOURCES += repo/foreign/litestream05_whole.c repo/foreign/litestream05_whole.h
libyore_a_SOURCES += repo/foreign/litestream05.c repo/foreign/litestream05.h
libyore_a_SOURCES += repo/foreign/unpacked.c repo/foreign/unpacked.h
libyore_a_SOURCES += repo/foreign/integrity.c repo/foreign/integrity.h
libyore_a_SOURCES += repo/foreign/zlayer.c repo/foreign/zlayer.h
libyore_a_SOURCES += repo/foreign/zlayer_database.c repo/foreign/zlayer_database.h
libyore_a_SOURCES += repo/foreign/zlayer_log.c repo/foreign/zlayer_log.h
libyore_a_SOURCES += repo/foreign/zlayer_proof.c repo/foreign/zlayer_proof.h
libyore_a_SOURCES += repo/foreign/zlayer_raw.c repo/foreign/zlayer_raw.h
libyore_a_SOURCES += repo/foreign/zlayer_roll.c repo/foreign/zlayer_roll.h
libyore_a_SOURCES += repo/foreign/litestream05_headers.c
