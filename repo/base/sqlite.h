/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SQLite when it is needed (repo/base/library.h): for the disk cache of remote
 * repositories, the replicator and the checks of other programs' replicas.
 */
#ifndef YORE_BASE_SQLITE_H
#define YORE_BASE_SQLITE_H

#include <sqlite3.h>
#include "repo/base/library.h"

/* clang-format off */
#define SQLITE_FUNCTIONS(F) \
	F(sqlite3_bind_blob) F(sqlite3_bind_int) F(sqlite3_bind_int64) \
	F(sqlite3_bind_text) F(sqlite3_busy_timeout) \
	F(sqlite3_clear_bindings) F(sqlite3_close) F(sqlite3_column_blob) \
	F(sqlite3_column_bytes) F(sqlite3_column_int) \
	F(sqlite3_column_int64) F(sqlite3_column_text) F(sqlite3_db_config) \
	F(sqlite3_errcode) F(sqlite3_errmsg) F(sqlite3_errstr) \
	F(sqlite3_exec) F(sqlite3_extended_errcode) F(sqlite3_file_control) \
	F(sqlite3_finalize) F(sqlite3_get_autocommit) \
	F(sqlite3_last_insert_rowid) F(sqlite3_libversion) F(sqlite3_libversion_number) \
	F(sqlite3_open_v2) F(sqlite3_prepare_v2) F(sqlite3_prepare_v3) \
	F(sqlite3_progress_handler) F(sqlite3_reset) F(sqlite3_sleep) \
	F(sqlite3_snprintf) F(sqlite3_step) F(sqlite3_vfs_find) \
	F(sqlite3_vfs_register) F(sqlite3_wal_checkpoint_v2)
/* clang-format on */

extern struct sqlite_functions {
	SQLITE_FUNCTIONS(LIBRARY_POINTER)
} sqlite_functions;

/* Before any other function of SQLite's is called. */
int sqlite_load(struct err *e);

#define sqlite3_bind_blob sqlite_functions.sqlite3_bind_blob
#define sqlite3_bind_int sqlite_functions.sqlite3_bind_int
#define sqlite3_bind_int64 sqlite_functions.sqlite3_bind_int64
#define sqlite3_bind_text sqlite_functions.sqlite3_bind_text
#define sqlite3_busy_timeout sqlite_functions.sqlite3_busy_timeout
#define sqlite3_clear_bindings sqlite_functions.sqlite3_clear_bindings
#define sqlite3_close sqlite_functions.sqlite3_close
#define sqlite3_column_blob sqlite_functions.sqlite3_column_blob
#define sqlite3_column_bytes sqlite_functions.sqlite3_column_bytes
#define sqlite3_column_int sqlite_functions.sqlite3_column_int
#define sqlite3_column_int64 sqlite_functions.sqlite3_column_int64
#define sqlite3_column_text sqlite_functions.sqlite3_column_text
#define sqlite3_db_config sqlite_functions.sqlite3_db_config
#define sqlite3_errcode sqlite_functions.sqlite3_errcode
#define sqlite3_errmsg sqlite_functions.sqlite3_errmsg
#define sqlite3_errstr sqlite_functions.sqlite3_errstr
#define sqlite3_exec sqlite_functions.sqlite3_exec
#define sqlite3_extended_errcode sqlite_functions.sqlite3_extended_errcode
#define sqlite3_file_control sqlite_functions.sqlite3_file_control
#define sqlite3_finalize sqlite_functions.sqlite3_finalize
#define sqlite3_get_autocommit sqlite_functions.sqlite3_get_autocommit
#define sqlite3_last_insert_rowid sqlite_functions.sqlite3_last_insert_rowid
#define sqlite3_libversion sqlite_functions.sqlite3_libversion
#define sqlite3_libversion_number sqlite_functions.sqlite3_libversion_number
#define sqlite3_open_v2 sqlite_functions.sqlite3_open_v2
#define sqlite3_prepare_v2 sqlite_functions.sqlite3_prepare_v2
#define sqlite3_prepare_v3 sqlite_functions.sqlite3_prepare_v3
#define sqlite3_progress_handler sqlite_functions.sqlite3_progress_handler
#define sqlite3_reset sqlite_functions.sqlite3_reset
#define sqlite3_sleep sqlite_functions.sqlite3_sleep
#define sqlite3_snprintf sqlite_functions.sqlite3_snprintf
#define sqlite3_step sqlite_functions.sqlite3_step
#define sqlite3_vfs_find sqlite_functions.sqlite3_vfs_find
#define sqlite3_vfs_register sqlite_functions.sqlite3_vfs_register
#define sqlite3_wal_checkpoint_v2 sqlite_functions.sqlite3_wal_checkpoint_v2

#endif
