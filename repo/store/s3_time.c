/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/s3_time.h"

#include <string.h>
#include <time.h>
#include "repo/base/clock.h"

/* Digits behind the point at *p, which moves behind them; as nanoseconds. */
static int64_t
take_fraction(const char **p)
{
	int64_t ns = 0, unit = NS_PER_S;

	for (; **p >= '0' && **p <= '9'; ++*p) {
		unit /= 10;
		ns += unit * (**p - '0');
	}
	return ns;
}

int64_t
s3_time_parse(const char *text)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction = 0;

	if (p && p[0] == '.' && p[1] >= '0' && p[1] <= '9') {
		p++;
		fraction = take_fraction(&p);
	}
	if (!p || strcmp(p, "Z") != 0 || tm.tm_year < 70 || tm.tm_year > 361)
		return S3_TIME_UNKNOWN;
	return (int64_t)timegm(&tm) * NS_PER_S + fraction;
}
