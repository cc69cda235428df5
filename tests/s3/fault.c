/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/s3/fault.h"

#include <fnmatch.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "tests/s3/net.h"

struct rule {
	struct rule *next;
	char *text, *operation, *pattern;
	uint64_t from, times; /* wrong from the from-th on, so many times */
	uint64_t matched, delivered;
	struct fault fault;
};

static struct {
	pthread_mutex_t lock;
	struct rule *rules;
} faults = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const struct {
	const char *name;
	enum fault_kind kind;
} kinds[] = {
	{ "skewed", FAULT_SKEWED },
	{ "reset", FAULT_RESET },
	{ "close", FAULT_CLOSE },
	{ "stall", FAULT_STALL },
	{ "garbage", FAULT_GARBAGE },
	{ "headers", FAULT_HEADERS },
	{ "error", FAULT_ERROR },
	{ "lost", FAULT_LOST },
	{ "unheard", FAULT_UNHEARD },
	{ "delay", FAULT_DELAY },
	{ "slow", FAULT_SLOW },
	{ "truncated", FAULT_TRUNCATED },
	{ "chunked", FAULT_CHUNKED },
	{ "flip", FAULT_FLIP },
	{ "whole", FAULT_WHOLE },
	{ "shorter", FAULT_SHORTER },
	{ "longer", FAULT_LONGER },
	{ "beside", FAULT_BESIDE },
	{ "mute", FAULT_MUTE },
	{ "part", FAULT_PART },
	{ "stale", FAULT_STALE },
	{ "twice", FAULT_TWICE },
	{ "unordered", FAULT_UNORDERED },
	{ "endless", FAULT_ENDLESS },
	{ "tokenless", FAULT_TOKENLESS },
	{ "foreign", FAULT_FOREIGN },
	{ "malformed", FAULT_MALFORMED },
	{ "entities", FAULT_ENTITIES },
};

static bool
parse_number(const char *s, int64_t *n)
{
	char *end;
	int64_t value = strtoll(s, &end, 10);

	if (end == s || *end || value < 0)
		return false;
	*n = value;
	return true;
}

static bool
parse_kind(char *s, struct fault *f)
{
	char *equals = strchr(s, '=');

	snprintf(f->name, sizeof(f->name), "%s", s);
	f->made = net_now();
	f->argument = -1;
	f->kind = FAULT_STATUS;
	if (parse_number(s, &f->argument))
		return f->argument >= 300 && f->argument <= 599;
	if (equals && !parse_number(equals + 1, &f->argument))
		return false;
	for (size_t i = 0; i < n_elements(kinds); i++) {
		f->kind = kinds[i].kind;
		if (strlen(kinds[i].name) == strcspn(s, "=") &&
			!strncmp(s, kinds[i].name, strcspn(s, "=")))
			return true;
	}
	return false;
}

static bool
parse_when(char *s, struct rule *r)
{
	char *end;

	r->from = strtoull(s, &end, 10);
	r->times = 1;
	if (*end == '+' && !end[1])
		r->times = UINT64_MAX;
	else if (*end == 'x')
		r->times = strtoull(end + 1, &end, 10);
	else if (*end)
		return false;
	return r->from && r->times;
}

static void
rule_free(struct rule *r)
{
	free(r->text);
	free(r->operation);
	free(r->pattern);
	free(r);
}

bool
fault_add(char *text)
{
	auto_lock(&faults.lock);
	struct rule *r = xcalloc(1, sizeof(*r));
	char *operation, *pattern, *when, *kind;

	r->text = xstrdup(text);
	operation = strsep(&text, " ");
	pattern = strsep(&text, " ");
	when = strsep(&text, " ");
	kind = strsep(&text, " ");
	if (!kind || text || !parse_when(when, r) ||
		!parse_kind(kind, &r->fault)) {
		rule_free(r);
		return false;
	}
	r->operation = xstrdup(operation);
	r->pattern = xstrdup(pattern);
	r->next = faults.rules;
	faults.rules = r;
	return true;
}

void
fault_clear(void)
{
	auto_lock(&faults.lock);

	while (faults.rules) {
		struct rule *r = faults.rules;

		faults.rules = r->next;
		rule_free(r);
	}
}

void
fault_list(struct buf *reply)
{
	auto_lock(&faults.lock);

	for (const struct rule *r = faults.rules; r; r = r->next)
		buf_printf(reply, "%lu %lu %s\n", r->matched, r->delivered,
			r->text);
}

struct fault
fault_next(const char *operation, const char *key)
{
	auto_lock(&faults.lock);
	struct fault none = { .kind = NO_FAULT, .argument = -1 };

	for (struct rule *r = faults.rules; r; r = r->next) {
		if (fnmatch(r->operation, operation, 0) ||
			fnmatch(r->pattern, key, 0))
			continue;
		if (++r->matched < r->from || r->delivered == r->times)
			continue;
		r->delivered++;
		return r->fault;
	}
	return none;
}
