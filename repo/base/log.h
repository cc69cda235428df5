/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line per event on standard error (or syslog once the mount has gone
 * into the background).  Never called with secrets.  Thread-safe.
 */
#ifndef YORE_BASE_LOG_H
#define YORE_BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Prefix of every line, borrowed for the life of the process. */
void log_set_program(const char *name);
/* Drop lines above this level; LOG_LEVEL_WARN at first. */
void log_set_level(enum log_level level);
/* From now on write to syslog(3), facility daemon, instead of stderr. */
void log_to_syslog(void);

/* From now on remember what is written: the last LOG_RECENT lines. */
#define LOG_RECENT 256
void log_remember(void);
struct log_line {
	int64_t time_ns; /* when it was written last */
	uint64_t times;	 /* in a row */
	const char *text; /* without the program's name */
};
/* Call for each of them, oldest first; borrowed.  Must not log. */
void log_recent(void (*each)(void *ctx, const struct log_line *l), void *ctx);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
