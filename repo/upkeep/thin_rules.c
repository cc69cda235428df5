/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/thin_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/clock.h"

/* -- In words ---------------------------------------------------------------- */

static int64_t
unit_s(char c)
{
	switch (c) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 7 * 86400;
	case 'y':
		return 366 * 86400;
	default:
		return 0;
	}
}

/* A length of time that ends at `end`; all is what "all" means. */
static bool
parse_length(const char **at, char end, int64_t all, int64_t *ns)
{
	const char *p = *at;
	int64_t n = 0;

	if (strncmp(p, "all", 3) == 0) {
		*ns = all;
		p += 3;
	} else {
		for (; *p >= '0' && *p <= '9' && n < 1000000000; p++)
			n = n * 10 + (*p - '0');
		if (n == 0 || !unit_s(*p) ||
			__builtin_mul_overflow(
				n, unit_s(*p++) * NS_PER_S, ns))
			return false;
	}
	*at = p + (*p == end && end);
	return *p == end;
}

static bool
parse_rule(const char **at, struct thin_rule *rule)
{
	const char *comma = strchr(*at, ',');

	return parse_length(at, ':', 0, &rule->every_ns) &&
	       parse_length(at, comma ? ',' : '\0', INT64_MAX,
		       &rule->within_ns);
}

int
thin_rules_parse(const char *text, struct thin_rules *rules, struct err *e)
{
	const char *at = text;

	rules->n = 0;
	if (strcmp(text, "none") == 0)
		return 0;
	do {
		if (rules->n == THIN_RULES_MAX ||
			!parse_rule(&at, &rules->rule[rules->n]))
			return err_set(e, EINVAL,
				"\"%s\" does not say which points stay, as "
				"\"%s\" does", text, THIN_RULES_DEFAULT);
		rules->n++;
	} while (*at || at[-1] == ',');
	return 0;
}

/* -- In time ----------------------------------------------------------------- */

static int64_t
period(int64_t t_ns, int64_t every_ns)
{
	return t_ns / every_ns - (t_ns % every_ns < 0);
}

static bool
is_within(const struct thin_rule *rule, int64_t now_ns, int64_t t_ns)
{
	return t_ns >= now_ns || (uint64_t)now_ns - (uint64_t)t_ns <=
					 (uint64_t)rule->within_ns;
}

bool
thin_rules_hold(const struct thin_rules *rules, int64_t now_ns, int64_t t_ns,
	const int64_t *next_ns)
{
	for (unsigned i = 0; i < rules->n; i++) {
		const struct thin_rule *rule = &rules->rule[i];

		if (!is_within(rule, now_ns, t_ns))
			continue;
		if (!next_ns || !rule->every_ns ||
			period(t_ns, rule->every_ns) !=
				period(*next_ns, rule->every_ns))
			return true;
	}
	return false;
}
