/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line is put together on the stack and leaves in one write(2) shorter than
 * PIPE_BUF, so lines of several threads and processes never mix.
 */
#include "repo/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/base/err.h"

#define LINE_MAX_LEN 2048

static _Atomic(const char *) program = "yore";
static atomic_int max_level = LOG_LEVEL_WARN;
static atomic_bool use_syslog;

static const struct {
	int priority;
	const char *label;
} levels[] = {
	[LOG_LEVEL_ERROR] = { LOG_ERR, "" },
	[LOG_LEVEL_WARN] = { LOG_WARNING, "warning: " },
	[LOG_LEVEL_INFO] = { LOG_INFO, "" },
	[LOG_LEVEL_DEBUG] = { LOG_DEBUG, "debug: " },
};

void
log_set_program(const char *name)
{
	program = name;
}

void
log_set_level(enum log_level level)
{
	max_level = (int)level;
}

void
log_to_syslog(void)
{
	openlog(program, LOG_PID, LOG_DAEMON);
	use_syslog = true;
}

/* -- What was said last --------------------------------------------------- */

static struct {
	pthread_mutex_t lock; /* a leaf: */
	bool wanted;
	struct {
		struct log_line line;
		char *text;
	} lines[LOG_RECENT];
	unsigned n; /* written so far; the newest is n - 1 */
} recent = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
log_remember(void)
{
	auto_lock(&recent.lock);

	recent.wanted = true;
}

static void
remember(enum log_level level, const char *text)
{
	auto_lock(&recent.lock);
	unsigned newest = (recent.n - 1) % LOG_RECENT, at;
	char *line = NULL;

	if (!recent.wanted ||
		asprintf(&line, "%s%s", levels[level].label, text) < 0)
		return;
	if (recent.n == 0 || strcmp(recent.lines[newest].text, line) != 0) {
		at = recent.n++ % LOG_RECENT;
		free(recent.lines[at].text);
		recent.lines[at].text = line;
		recent.lines[at].line =
			(struct log_line){ .times = 0, .text = line };
	} else {
		at = newest;
		free(line);
	}
	recent.lines[at].line.times++;
	recent.lines[at].line.time_ns = clock_wall_ns();
}

void
log_recent(void (*each)(void *ctx, const struct log_line *l), void *ctx)
{
	auto_lock(&recent.lock);
	unsigned first = recent.n > LOG_RECENT ? recent.n - LOG_RECENT : 0;

	for (unsigned i = first; i < recent.n; i++)
		each(ctx, &recent.lines[i % LOG_RECENT].line);
}

/* -- Writing --------------------------------------------------------------- */

static void
write_line(enum log_level level, const char *text)
{
	char line[LINE_MAX_LEN + 256];
	int n = snprintf(line, sizeof(line) - 1, "%.64s: %s%s", program,
		levels[level].label, text);

	if (n < 0)
		return;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	/* Nowhere to report a standard error that cannot be written. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

__attribute__((format(printf, 2, 0))) static void
log_at(enum log_level level, const char *fmt, va_list ap)
{
	char raw[2 * LINE_MAX_LEN], text[LINE_MAX_LEN];

	if ((int)level > max_level)
		return;
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		return;
	err_escape(text, sizeof(text), raw, strlen(raw));
	remember(level, text);
	if (use_syslog)
		syslog(levels[level].priority, "%s%s", levels[level].label,
			text);
	else
		write_line(level, text);
}

#define LOG_AT(level, fmt) \
	va_list ap_; \
	va_start(ap_, fmt); \
	log_at(level, fmt, ap_); \
	va_end(ap_)

void
log_error(const char *fmt, ...)
{
	LOG_AT(LOG_LEVEL_ERROR, fmt);
}

void
log_warn(const char *fmt, ...)
{
	LOG_AT(LOG_LEVEL_WARN, fmt);
}

void
log_info(const char *fmt, ...)
{
	LOG_AT(LOG_LEVEL_INFO, fmt);
}

void
log_debug(const char *fmt, ...)
{
	LOG_AT(LOG_LEVEL_DEBUG, fmt);
}
