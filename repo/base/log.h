/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line per event on standard error (or syslog once the mount has gone
 * into the background).  Never called with secrets.  Thread-safe.
 */
#ifndef YORE_BASE_LOG_H
#define YORE_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Prefix of every line, borrowed for the life of the process. */
void log_set_program(const char *name);
/* Drop lines above this level; LOG_LEVEL_WARN at first. */
void log_set_level(enum log_level level);
/* From now on write to syslog(3), facility daemon, instead of stderr. */
void log_to_syslog(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
