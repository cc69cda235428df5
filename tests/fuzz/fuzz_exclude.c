/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wildcards match as a slow matcher says that tries everything, written from
 * gitignore(5) without looking at the fast one.  Any file of patterns and any
 * path beside it must do no harm.
 *
 * Input: pattern, newline, text; the whole of it also as lines of patterns.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/write/exclude.h"
#include "repo/write/glob.h"

#define LEN_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

struct slow {
	const char *p, *t; /* terminated */
	signed char known[LEN_MAX + 2][LEN_MAX + 2]; /* 0 not yet, 1, -1 */
};

static bool from(struct slow *s, size_t p, size_t t);

/* In [a-z] at p (behind the bracket): its end in *after, 0 when malformed;
 * whether b is a member. */
static bool
in_class(const char *s, size_t p, unsigned char b, size_t *after)
{
	static const char *const names[] = { "alnum", "alpha", "blank",
		"cntrl", "digit", "graph", "lower", "print", "punct", "space",
		"upper", "xdigit" };
	static const char *const members[] = {
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", " \t",
		NULL, "0123456789", NULL, "abcdefghijklmnopqrstuvwxyz", NULL,
		"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", " \t\n\r",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789ABCDEFabcdef" };
	bool not = s[p] == '!' || s[p] == '^', is = false, first = true;
	unsigned low = 0;

	*after = 0;
	for (p += not; s[p] != ']' || first; first = false) {
		unsigned c = (unsigned char)s[p], high;
		size_t n, i;

		if (c == 0)
			return false;
		if (c == '-' && low && s[p + 1] && s[p + 1] != ']') {
			p++;
			p += s[p] == '\\';
			high = (unsigned char)s[p];
			if (high == 0)
				return false;
			is |= b >= low && b <= high;
			low = 0;
			p++;
			continue;
		}
		if (c == '[' && s[p + 1] == ':') {
			n = strcspn(s + p + 2, "]");
			if (!s[p + 2 + n])
				return false;
			if (n > 0 && s[p + 1 + n] == ':') {
				for (i = 0; i < n_elements(names); i++)
					if (strlen(names[i]) == n - 1 &&
						!strncmp(names[i], s + p + 2,
							n - 1))
						break;
				if (i == n_elements(names))
					return false;
				if (i == 3)
					is |= (b > 0 && b < 32) || b == 127;
				else if (i == 5 || i == 7)
					is |= b >= (i == 5 ? 33 : 32) && b < 127;
				else
					is |= b && strchr(members[i], b);
				low = 0;
				p += n + 3;
				continue;
			}
		}
		if (c == '\\')
			c = (unsigned char)s[++p];
		if (c == 0)
			return false;
		is |= b == c;
		low = c;
		p++;
	}
	*after = p + 1;
	return is != not;
}

static bool
stars(struct slow *s, size_t p, size_t t)
{
	size_t n = strspn(s->p + p, "*");
	bool deep = n > 1 && (p == 0 || s->p[p - 1] == '/') &&
		(!s->p[p + n] || s->p[p + n] == '/' ||
			!strncmp(s->p + p + n, "\\/", 2));

	if (deep && s->p[p + n] == '/' && from(s, p + n + 1, t))
		return true;
	for (;; t++) {
		if (from(s, p + n, t))
			return true;
		if (!s->t[t] || (!deep && s->t[t] == '/'))
			return false;
	}
}

static bool
one(struct slow *s, size_t p, size_t t)
{
	unsigned char c = (unsigned char)s->p[p], b = (unsigned char)s->t[t];
	size_t after;

	if (c == '*')
		return stars(s, p, t);
	if (c == 0 || b == 0)
		return c == b;
	if (c == '?')
		return b != '/' && from(s, p + 1, t + 1);
	if (c == '[')
		return in_class(s->p, p + 1, b, &after) && after && b != '/' &&
			from(s, after, t + 1);
	if (c == '\\')
		c = (unsigned char)s->p[++p];
	return c == b && from(s, p + 1, t + 1);
}

static bool
from(struct slow *s, size_t p, size_t t)
{
	signed char *known = &s->known[p][t];

	if (!*known)
		*known = one(s, p, t) ? 1 : -1;
	return *known > 0;
}

static void
compare(const char *p, size_t p_len, const char *t, size_t t_len)
{
	static struct slow s;
	auto_free char *pattern = strndup(p, p_len);
	auto_free char *text = strndup(t, t_len);
	struct glob *g = glob_new(pattern, strlen(pattern));
	bool fast, slow;

	memset(&s, 0, sizeof(s));
	s.p = pattern;
	s.t = text;
	fast = g && glob_match(g, text, strlen(text));
	slow = from(&s, 0, 0);
	assert(fast == slow);
	glob_free(g);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	const char *all = (const char *)in;
	const char *end = len ? memchr(all, '\n', len) : NULL;
	struct exclude_rules *r = exclude_rules_new();
	struct exclude_dir *top = exclude_dir_top(r);
	struct exclude_dir *d = exclude_dir_lines(top, "", all, len);
	auto_free char *path = strndup(end ? end + 1 : all,
		end ? len - (size_t)(end + 1 - all) : len);
	const char *slash = strrchr(path, '/');

	(void)excluded(d, path, slash ? slash + 1 : path, len & 1);
	if (end && len <= LEN_MAX)
		compare(all, (size_t)(end - all), end + 1,
			len - (size_t)(end + 1 - all));
	exclude_dir_put(d);
	exclude_dir_put(top);
	exclude_rules_free(r);
	return 0;
}
