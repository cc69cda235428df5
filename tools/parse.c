/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
unit_shift(const char *suffix)
{
	static const char units[] = "kmgtpe";
	const char *u;

	if (!*suffix)
		return 0;
	u = strchr(units, *suffix | 0x20);
	if (!u || (suffix[1] && strcasecmp(suffix + 1, "b") != 0 &&
			  strcasecmp(suffix + 1, "ib") != 0))
		return -1;
	return 10 * (int)(u - units + 1);
}

int
parse_size(const char *text, uint64_t *size)
{
	char *end;
	long double v;
	int shift;

	if (*text < '0' || *text > '9' || text[1] == 'x' || text[1] == 'X')
		return -EINVAL;
	v = strtold(text, &end);
	if (strspn(text, "0123456789.") != (size_t)(end - text))
		return -EINVAL;
	shift = unit_shift(end);
	if (shift < 0)
		return -EINVAL;
	v *= (long double)(1ULL << shift);
	if (v >= 18446744073709551616.0L)
		return -EINVAL;
	*size = (uint64_t)v;
	return 0;
}

int
parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *v)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*v = strtoull(text, &end, 10);
	if (errno || *end || *v < min || *v > max)
		return -EINVAL;
	return 0;
}

int
parse_duration(const char *text, int64_t *ns)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = { { "", 1 }, { "ms", 0.001 }, { "s", 1 }, { "m", 60 },
		{ "h", 3600 }, { "d", 86400 }, { "w", 7 * 86400 },
		{ "y", 365 * 86400 } };
	char *end;
	double v;

	if (*text < '0' || *text > '9' || text[1] == 'x' || text[1] == 'X')
		return -EINVAL;
	v = strtod(text, &end);
	if (strspn(text, "0123456789.") != (size_t)(end - text))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		v *= units[i].seconds;
		if (v > 36525.0 * 86400)
			return -EINVAL;
		*ns = (int64_t)(v * 1e9);
		return 0;
	}
	return -EINVAL;
}
