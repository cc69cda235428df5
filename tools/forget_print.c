/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/forget.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/log.h"
#include "tools/json.h"
#include "tools/print.h"

#define ID_SHOWN 8

void
forget_print_source(const struct history_source *s)
{
	print_name(s->host, strlen(s->host), false);
	putchar('/');
	print_name(s->name, strlen(s->name), false);
}

static void
print_point(const char *what, const struct history_point *p)
{
	printf("  %-7s %-22s %.*s", what, p->name, ID_SHOWN, p->id);
	for (uint32_t i = 0; i < p->n_tags; i++) {
		fputs(i ? "," : "  [", stdout);
		print_name(p->tags[i], strlen(p->tags[i]), false);
	}
	if (p->n_tags)
		putchar(']');
}

/* -- Decisions ---------------------------------------------------------- */

static void
json_decision(const struct forget *f, size_t i, bool named)
{
	const struct history_listing *l = &f->nl->l;
	json_t *line = json_line("decision"), *reasons = json_array();
	const char *word;

	json_point(line, l, &l->points[i]);
	json_u64(line, "sequence", l->points[i].seq);
	json_flag(line, "keep", !f->goes[i]);
	for (unsigned k = 0; (word = retention_reason(f->why[i], k)); k++)
		json_array_append_new(reasons, json_string(word));
	if (named)
		json_array_append_new(reasons,
			json_string(f->ends[l->points[i].source]
					    ? "the whole source"
					    : "named"));
	json_object_set_new(line, "reasons", reasons);
	json_print(line);
}

static void
print_decision(const struct forget *f, size_t i, bool named)
{
	char reasons[RETENTION_REASONS_MAX];

	print_point(f->goes[i] ? "forget" : "keep", &f->nl->l.points[i]);
	printf("  %s\n", f->ends[f->nl->l.points[i].source] ? "the whole source"
			 : named	   ? "named"
			 : f->goes[i] ? "no rule holds it"
				      : retention_reasons(reasons, f->why[i]));
}

static void
print_sum(const struct forget_command *c, const struct forget *f,
	const struct history_source *s, uint32_t going)
{
	char stay[PRINT_MAX];

	forget_print_source(s);
	print_number(stay, s->n_points - going, "snapshot stays",
		"snapshots stay");
	printf(": %s, %" PRIu32 " %s%s\n", stay, going,
		c->dry_run	? "would be forgotten"
		: going == 1	? "was forgotten"
				: "were forgotten",
		going && s->kind == HISTORY_DATABASE
			? ", with the points up to the next snapshot"
			: "");
	(void)f;
}

static void
print_source(const struct forget_command *c, const struct forget *f,
	size_t source)
{
	const struct history_source *s = &f->nl->l.sources[source];
	bool each = c->dry_run || c->o.verbose || c->o.json;
	bool by_rules = c->rules.n_tags ||
			!retention_is_empty(&c->rules.retention);
	uint32_t asked = 0, going = 0;

	for (uint32_t i = s->first_point; i < s->first_point + s->n_points;
		i++) {
		asked += f->asked[i];
		going += f->goes[i];
	}
	if (!asked)
		return;
	if (!c->o.json)
		print_sum(c, f, s, going);
	for (uint32_t i = s->first_point; each &&
		i < s->first_point + s->n_points; i++) {
		if (f->asked[i] && c->o.json)
			json_decision(f, i, !by_rules);
		else if (f->asked[i])
			print_decision(f, i, !by_rules);
	}
}

static void
json_sum(const struct forget_command *c, const char *what, uint64_t n,
	uint64_t kept)
{
	json_t *line = json_line("summary");

	json_u64(line, what, n);
	json_u64(line, "kept", kept);
	json_flag(line, "dry_run", c->dry_run);
	json_print(line);
}

void
forget_print(const struct forget_command *c, const struct forget *f)
{
	const struct history_listing *l = &f->nl->l;

	if (c->o.quiet && !c->dry_run && !c->o.json)
		return;
	for (size_t i = 0; i < l->n_sources; i++)
		print_source(c, f, i);
	if (c->o.json)
		json_sum(c, "forgotten", f->n_going,
			l->n_points - f->n_going);
	else if (f->n_going && !c->dry_run)
		printf("'yore forget --undo' brings them back until 'yore "
		       "prune' has freed what they alone held\n");
}

/* -- What came back ----------------------------------------------------- */

static void
json_undone(const struct undo *x, size_t i)
{
	const struct history_listing *l = &x->nl->l;
	json_t *line = json_line("undo");
	int64_t since = undo_since(x, i);

	json_point(line, l, &l->points[i]);
	json_u64(line, "sequence", l->points[i].seq);
	if (since != STORE_TIME_UNKNOWN)
		json_time_ns(line, "forgotten", since);
	json_print(line);
}

static void
print_undone(const struct forget_command *c, const struct undo *x, size_t i)
{
	char since[HISTORY_TIME_MAX + 1] = "";
	int64_t ns = undo_since(x, i);

	if (ns != STORE_TIME_UNKNOWN)
		history_print_time(since, ns);
	print_point(!x->chosen[i] ? "thinned" : c->dry_run ? "trash" : "back",
		&x->nl->l.points[i]);
	printf("  %s %s\n", x->replaced[i] ? "thinned" : "forgotten", since);
}

/* What was chosen and is back; on a dry run also what would have to be named. */
static bool
is_told(const struct forget_command *c, const struct undo *x, size_t i)
{
	if (!x->chosen[i])
		return c->dry_run && x->replaced[i] && !c->o.json;
	if (x->gone[i])
		log_error("snapshot %s: pruning has freed what it needs",
			x->nl->l.points[i].id);
	return !x->gone[i] && (!c->o.quiet || c->dry_run);
}

void
forget_print_undo(const struct forget_command *c, const struct undo *x)
{
	const struct history_listing *l = &x->nl->l;
	char n[PRINT_MAX];
	size_t last = HISTORY_NONE;

	for (size_t i = 0; i < l->n_points; i++) {
		const struct history_point *p = &l->points[i];

		if (!is_told(c, x, i))
			continue;
		if (c->o.json) {
			json_undone(x, i);
			continue;
		}
		if (p->source != last) {
			forget_print_source(&l->sources[p->source]);
			putchar('\n');
		}
		last = p->source;
		print_undone(c, x, i);
	}
	if (c->o.json)
		json_sum(c, "restored", x->n_chosen - x->n_gone, 0);
	else if (!c->o.quiet)
		printf("%s %s\n",
			print_number(n, x->n_chosen - x->n_gone, "snapshot",
				"snapshots"),
			c->dry_run ? "can be brought back" : "brought back");
}

/* -- Pins --------------------------------------------------------------- */

void
forget_print_pins(const struct forget_command *c, const struct forget *f)
{
	const struct history_listing *l = &f->nl->l;

	for (size_t i = 0; i < l->n_points; i++) {
		const struct history_point *p = &l->points[i];
		const struct history_source *s = &l->sources[p->source];

		if (!pinned_has(&f->pinned, f->nl->source_keys[p->source],
			    p->seq))
			continue;
		if (c->o.json) {
			json_t *line = json_line("pin");

			json_point(line, l, p);
			json_u64(line, "sequence", p->seq);
			json_print(line);
			continue;
		}
		print_point("pinned", p);
		fputs("  ", stdout);
		forget_print_source(s);
		putchar('\n');
	}
}
