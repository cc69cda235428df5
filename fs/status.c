/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "fs/status.h"

#define N_MORE 24

static void
more_numbers(struct mount *m, const struct picture *p,
	struct metric out[N_MORE], struct metrics_more *all)
{
	const struct history_listing *l = p->listing;
	struct history_stats s = { .store_lists = 0 };

	history_stats(m->history, &s);
	const struct metric more[N_MORE] = {
		{ "store_list_requests_total", "Listings asked of the store.",
			true, s.store_lists },
		{ "store_get_requests_total", "Reads asked of the store.", true,
			s.store_gets },
		{ "store_bytes_total", "Bytes the store answered.", true,
			s.store_bytes },
		{ "store_errors_total", "Requests the store failed.", true,
			s.store_errors },
		{ "store_retries_total", "Of the requests, repeated ones.",
			true, s.store_retries },
		{ "cache_hits_total", "Reads that the disk cache had all of.",
			true, s.cache_hits },
		{ "cache_misses_total", "Reads that it had not.", true,
			s.cache_misses },
		{ "cache_read_bytes_total", "Bytes read of it.", true,
			s.cache_read_bytes },
		{ "cache_written_bytes_total", "Bytes kept in it.", true,
			s.cache_written_bytes },
		{ "cache_dropped_bytes_total",
			"Bytes brought that it had no room for.", true,
			s.cache_dropped_bytes },
		{ "frames_unsealed_total", "Frames decrypted and decoded.",
			true, s.frames_unsealed },
		{ "memory_hits_total", "Frames found decoded in memory.", true,
			s.memory_hits },
		{ "joined_total", "Reads that waited for another's request.",
			true, s.joined },
		{ "ahead_frames_total", "Frames fetched by read-ahead.", true,
			s.ahead_frames },
		{ "ahead_unused_total", "Of those, never read.", true,
			s.ahead_unused },
		{ "ahead_bytes_total", "Bytes fetched by read-ahead.", true,
			s.ahead_bytes },
		{ "ahead_unread_bytes", "Of those, not read so far.", false,
			s.ahead_unread_bytes },
		{ "memory_bytes", "Bytes decoded and held.", false,
			s.memory_bytes },
		{ "views", "Views that are open.", false,
			views_count(m->views) },
		{ "nodes", "Virtual nodes and slots.", false,
			nodes_count(m->nodes) },
		{ "sources", "Sources in the listing.", false, l->n_sources },
		{ "points", "Points in the listing.", false, l->n_points },
		{ "mounted_seconds", "When it was mounted, since 1970.", false,
			(uint64_t)(m->mounted_ns / NS_PER_S) },
		{ "refreshed_seconds", "Last successful refresh, since 1970.",
			false, (uint64_t)(m->refreshed_ns / NS_PER_S) },
	};

	memcpy(out, more, sizeof(more));
	*all = (struct metrics_more){
		.numbers = out, .n = N_MORE, .store_seconds = s.store_seconds
	};
}

static void
print_when(struct buf *out, const char *what, int64_t t_ns)
{
	char text[HISTORY_TIME_MAX + 1] = "never";

	if (t_ns > 0)
		history_print_time(text, t_ns);
	buf_printf(out, "%-12s %s\n", what, text);
}

static void
print_status(struct mount *m, const struct picture *p, struct buf *out)
{
	const struct history_listing *l = p->listing;
	const struct metrics *x = &m->metrics;

	buf_printf(out, "%-12s %s\n", "repository", m->history->name);
	buf_printf(out, "%-12s %s\n", "id", m->history->id);
	if (m->options->address)
		buf_printf(out, "%-12s %s\n", "shows", m->options->address);
	buf_printf(out, "%-12s %zu\n", "sources", l->n_sources);
	buf_printf(out, "%-12s %zu\n", "points", l->n_points);
	print_when(out, "newest", p->newest_ns);
	print_when(out, "mounted", m->mounted_ns);
	print_when(out, "refreshed", m->refreshed_ns);
	buf_printf(out, "%-12s %s\n", "permissions",
		m->acls_enforced    ? "modes and ACLs checked"
		: m->modes_enforced ? "modes checked"
				    : "the mounting user reads all");
	buf_printf(out, "%-12s %" PRIu64 "\n", "errors", x->errors);
}

static void
print_line(void *ctx, const struct log_line *l)
{
	struct buf *out = ctx;
	char when[HISTORY_TIME_MAX + 1];

	history_print_time(when, l->time_ns);
	buf_printf(out, "%s %s", when, l->text);
	if (l->times > 1)
		buf_printf(out, " (%" PRIu64 " times)", l->times);
	buf_printf(out, "\n");
}

char *
status_text(
	struct mount *m, const struct picture *p, const char *name, size_t *len)
{
	auto_buf struct buf out = BUF_INIT;
	struct metric numbers[N_MORE];
	struct metrics_more more;

	more_numbers(m, p, numbers, &more);

	if (strcmp(name, "metrics") == 0)
		metrics_prometheus(&m->metrics, &more, &out);
	else if (strcmp(name, "metrics.json") == 0)
		metrics_json(&m->metrics, &more, &out);
	else if (strcmp(name, "log") == 0)
		log_recent(print_line, &out);
	else if (strcmp(name, "version") == 0)
		buf_printf(&out, "%s\n", PACKAGE_VERSION);
	else
		print_status(m, p, &out);
	buf_reserve(&out, 1); /* there may be no lines */
	return (char *)buf_steal(&out, len);
}
