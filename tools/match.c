/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patterns are fnmatch(3)'s in the C locale: names are bytes. */
#include "tools/match.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/clock.h"
#include "tools/options.h"
#include "tools/parse.h"

#define DAY_S 86400

static enum match_sign
take_sign(const char **text)
{
	if (**text == '+' || **text == '-')
		return *(*text)++ == '+' ? MATCH_MORE : MATCH_LESS;
	return MATCH_EQUAL;
}

int
match_set_size(struct match *m, const char *text)
{
	m->size_sign = take_sign(&text);
	return parse_size(text, &m->size);
}

int
match_set_days(struct match *m, const char *text, int64_t now_ns)
{
	uint64_t days;
	int r;

	m->days_sign = take_sign(&text);
	m->now_ns = now_ns;
	r = parse_number(text, 0, 1000000, &days);
	m->days = (int64_t)days;
	return r;
}

int
match_set_type(struct match *m, const char *text)
{
	if (!*text || text[1] || !strchr("fdlpscb", *text))
		return -EINVAL;
	m->type = *text;
	return 0;
}

static bool
compare(enum match_sign sign, int64_t v, int64_t wanted)
{
	switch (sign) {
	case MATCH_EQUAL:
		return v == wanted;
	case MATCH_MORE:
		return v > wanted;
	case MATCH_LESS:
		return v < wanted;
	default:
		return true;
	}
}

static bool
size_fits(const struct match *m, uint64_t size)
{
	int64_t max = INT64_MAX;

	return compare(m->size_sign, size > INT64_MAX ? max : (int64_t)size,
		m->size > INT64_MAX ? max : (int64_t)m->size);
}

static char
type_of(uint32_t mode)
{
	static const struct {
		uint32_t format;
		char letter;
	} types[] = {
		{ S_IFREG, 'f' },
		{ S_IFDIR, 'd' },
		{ S_IFLNK, 'l' },
		{ S_IFIFO, 'p' },
		{ S_IFSOCK, 's' },
		{ S_IFCHR, 'c' },
		{ S_IFBLK, 'b' },
	};

	for (size_t i = 0; i < n_elements(types); i++)
		if ((mode & S_IFMT) == types[i].format)
			return types[i].letter;
	return 0;
}

static bool
time_fits(const struct match *m, const struct timespec *t)
{
	__int128 ns = (__int128)t->tv_sec * NS_PER_S + t->tv_nsec;
	__int128 age = m->now_ns - ns;
	__int128 days = age / ((__int128)DAY_S * NS_PER_S) - (age < 0);

	if (m->has_newer && ns <= m->newer_ns)
		return false;
	if (m->has_older && ns > m->older_ns)
		return false;
	return m->days_sign == MATCH_ANY ||
	       compare(m->days_sign, (int64_t)days, m->days);
}

bool
match_entry(const struct match *m, const char *path, const char *name,
	const struct view_attr *a)
{
	if (m->type && type_of(a->mode) != m->type)
		return false;
	if (m->size_sign && !size_fits(m, a->size))
		return false;
	if (!time_fits(m, &a->mtime))
		return false;
	if (m->name && fnmatch(m->name, name, 0) != 0)
		return false;
	if (m->iname && fnmatch(m->iname, name, FNM_CASEFOLD) != 0)
		return false;
	return !m->path || fnmatch(m->path, path, 0) == 0;
}
