/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore forget --thin: which points of databases stay. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/log.h"
#include "tools/forget.h"
#include "tools/json.h"
#include "tools/print.h"

struct thinning_told {
	struct forget_command *c;
	const struct history_listing *l;
	bool *wanted; /* one a source */
	size_t last;  /* the source that was told about last */
};

/* -- Which ------------------------------------------------------------------- */

static int
choose(struct thinning_told *t)
{
	const struct forget_command *c = t->c;
	const struct history_listing *l = t->l;
	struct err e = ERR_INIT;
	int status = 0;

	for (size_t i = 0; i < l->n_sources && optind == c->o.argc; i++)
		t->wanted[i] = !c->host || !strcmp(c->host, l->sources[i].host);
	for (int i = optind; i < c->o.argc && !status; i++) {
		const char *text = c->o.argv[i];
		size_t source, point;

		if (forget_find(c, l, text, &source, &point, &e))
			status = tool_fail(&e);
		else if (point != HISTORY_NONE)
			status = tool_usage("%s is a snapshot: rules are for "
					    "sources", text);
		else
			t->wanted[source] = true;
	}
	return status;
}

static bool
wants(void *ctx, const char *host, const char *name)
{
	const struct thinning_told *t = ctx;
	size_t i = history_find_source(t->l, host, name);

	return i != HISTORY_NONE && t->wanted[i];
}

/* -- What is said ------------------------------------------------------------ */

static const char *
word(const struct thin_stretch *s)
{
	switch (s->fate) {
	case THIN_OPEN:
		return "newest";
	case THIN_WHOLE:
	case THIN_LATER:
		return "keep";
	case THIN_ANEW:
		return "thin";
	case THIN_RACED:
		return "raced";
	default:
		return "failed";
	}
}

static void
print_stretch(const struct thin_stretch *s, bool dry_run)
{
	char time[HISTORY_TIME_MAX + 1], n[PRINT_MAX], old[PRINT_MAX],
		new[PRINT_MAX];

	history_print_time(time, s->base->time_ns);
	printf("  %-7s %-22s ", word(s), time);
	print_number(n, s->points, "point", "points");
	print_size(old, s->bytes);
	if (s->fate == THIN_OPEN)
		printf("points still follow\n");
	else if (s->fate == THIN_RACED)
		printf("two snapshots have its number\n");
	else if (s->fate == THIN_FAILED)
		printf("%s\n", s->why->text);
	else if (s->fate == THIN_ANEW && dry_run)
		printf("%" PRIu64 " of %s would stay (of %s)\n", s->kept, n,
			old);
	else if (s->fate == THIN_ANEW)
		printf("%" PRIu64 " of %s stay (%s instead of %s)\n", s->kept,
			n, print_size(new, s->new_bytes), old);
	else if (s->fate == THIN_LATER)
		printf("%s, of which %" PRIu64 " need not stay: thinned when "
		       "half need not\n", n, s->points - s->kept);
	else if (s->points)
		printf("%s, all held by a rule\n", n);
	else
		printf("no points\n");
}

static void
json_stretch(const struct thin_stretch *s)
{
	json_t *line = json_line("stretch");

	json_name(line, "host", s->base->host, strlen(s->base->host));
	json_name(line, "source", s->base->name, strlen(s->base->name));
	json_time_ns(line, "time", s->base->time_ns);
	json_u64(line, "sequence", s->base->seq);
	json_object_set_new(line, "fate", json_string(word(s)));
	json_u64(line, "points", s->points);
	json_u64(line, "kept", s->kept);
	json_u64(line, "bytes", s->bytes);
	if (s->new_bytes)
		json_u64(line, "new_bytes", s->new_bytes);
	if (s->why)
		json_object_set_new(line, "error", json_string(s->why->text));
	json_print(line);
}

static void
told(void *ctx, const struct thin_stretch *s)
{
	struct thinning_told *t = ctx;
	const struct forget_command *c = t->c;
	size_t i = history_find_source(t->l, s->base->host, s->base->name);

	if (s->fate == THIN_FAILED && !c->o.json)
		log_error("%s/%s: %s", s->base->host, s->base->name,
			s->why->text);
	if (c->o.json) {
		json_stretch(s);
		return;
	}
	if (c->o.quiet && !c->dry_run)
		return;
	if (!c->dry_run && !c->o.verbose && s->fate != THIN_ANEW)
		return;
	if (i != t->last && i != HISTORY_NONE) {
		forget_print_source(&t->l->sources[i]);
		putchar('\n');
	}
	t->last = i;
	print_stretch(s, c->dry_run);
}

static void
print_result(const struct forget_command *c, const struct thin_result *r)
{
	char n[PRINT_MAX], old[PRINT_MAX], new[PRINT_MAX];

	if (c->o.json) {
		json_t *line = json_line("summary");

		json_u64(line, "thinned", r->anew);
		json_u64(line, "failed", r->failed);
		json_u64(line, "points", r->points);
		json_u64(line, "kept", r->kept);
		json_u64(line, "bytes", r->bytes);
		json_u64(line, "new_bytes", r->new_bytes);
		json_flag(line, "dry_run", c->dry_run);
		json_print(line);
		return;
	}
	if (c->o.quiet && !c->dry_run)
		return;
	print_number(n, r->points, "point", "points");
	print_size(old, r->bytes);
	if (!r->anew)
		printf("no point of a database %s\n",
			c->dry_run ? "would go" : "had to go");
	else if (c->dry_run)
		printf("%" PRIu64 " of %s would stay; what was %s would be "
		       "written anew\n", r->kept, n, old);
	else
		printf("%" PRIu64 " of %s stay; what was %s is %s, once 'yore "
		       "prune' has run\n", r->kept, n, old,
			print_size(new, r->new_bytes));
}

/* -- Doing it ---------------------------------------------------------------- */

int
forget_thin(struct forget_command *c, const struct forget *f)
{
	auto_free bool *wanted = xcalloc(f->nl->l.n_sources + 1, 1);
	struct thinning_told t = { .c = c, .l = &f->nl->l, .wanted = wanted,
		.last = HISTORY_NONE };
	const struct thin_options o = { .rules = c->thin_rules,
		.now_ns = c->rules.now_ns,
		.dry_run = c->dry_run,
		.interrupted = interrupt_flag(),
		.wants = wants,
		.told = told,
		.ctx = &t };
	struct thin_result result;
	struct err e = ERR_INIT;
	int status = choose(&t), r;

	if (status)
		return status;
	interrupt_defer();
	r = thin_run(c->w, &o, &result, &e);
	if (r && interrupt_came()) {
		log_error("interrupted; the points are as they were");
		return interrupt_status();
	}
	if (r)
		return tool_fail(&e);
	print_result(c, &result);
	return result.failed ? STATUS_PARTLY : 0;
}
