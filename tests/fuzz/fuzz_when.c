/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever parses as a time means the same the next time, is refused with
 * junk around it, and prints as a name that is found again; what does not
 * move does not depend on now; what is ago is not later than now.
 *
 * Input: time zone, now, text.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/history.h"
#include "repo/when.h"

#define HEAD_LEN 9
#define TEXT_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static const char *const zones[] = { "UTC0", "CET-1CEST,M3.5.0,M10.5.0/3",
	"<-03>3<-02>,M10.3.0/0,M2.3.0/0", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
	"<+14>-14", "<-12>12", "LMT0:53:28" };

static void
check_junk(const char *text, int64_t now)
{
	static const char *const around[] = { "\x01%s", "%s\x01", " %s", "%s ",
		"-%s", "%s-", "%s/" };
	char junk[TEXT_MAX + 4];
	int64_t t;

	for (size_t i = 0; i < n_elements(around); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(junk, sizeof(junk), around[i], text);
#pragma GCC diagnostic pop
		assert(when_parse(junk, now, &t) != 0);
	}
}

static void
check_print(int64_t t)
{
	char name[HISTORY_TIME_MAX + 1], again[HISTORY_TIME_MAX + 1];
	int64_t found;
	int moving;

	if (t > INT64_MAX - NS_PER_S)
		return;
	history_print_time(name, t);
	assert(when_parse_moving(name, 0, &found, &moving) == 0);
	assert(!moving && found >= t && found - t < NS_PER_S);
	history_print_time(again, found);
	assert(strcmp(name, again) == 0);
}

static void
check(const char *text, int64_t now)
{
	int64_t t, again;
	int moving;

	if (when_parse_moving(text, now, &t, &moving) != 0)
		return;
	assert(when_parse(text, now, &again) == 0 && again == t);
	check_junk(text, now);
	check_print(t);
	if (!moving) {
		assert(when_parse(text, now / 2 + 1, &again) == 0);
		assert(again == t);
	} else if (!strchr(text, ':')) {
		assert(t <= now);
	} else { /* the unit has begun */
		assert(t < now || t - now < 60 * NS_PER_S);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	char text[TEXT_MAX + 1];

	if (len < HEAD_LEN)
		return 0;
	setenv("TZ", zones[in[0] % n_elements(zones)], 1);
	tzset();
	size_t n = len - HEAD_LEN < TEXT_MAX ? len - HEAD_LEN : TEXT_MAX;
	memcpy(text, in + HEAD_LEN, n);
	text[n] = '\0';
	check(text, (int64_t)get_be64(in + 1));
	return 0;
}
