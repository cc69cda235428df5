/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/s3/xml.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	char c;
} entities[] = { { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' },
	{ "&apos;", '\'' }, { "&amp;", '&' } };

static const char *
entity_of(char c)
{
	for (size_t i = 0; i < n_elements(entities); i++)
		if (entities[i].c == c)
			return entities[i].name;
	return NULL;
}

void
xml_text(struct buf *b, const char *text)
{
	for (; *text; text++) {
		const char *entity = entity_of(*text);

		if (entity)
			buf_printf(b, "%s", entity);
		else
			buf_append(b, text, 1);
	}
}

/* Replace the entity at s, if it is one; what it takes up. */
static size_t
unescape_one(const char *s, char *out)
{
	char *end;
	long code;

	*out = *s;
	if (*s != '&')
		return 1;
	for (size_t i = 0; i < n_elements(entities); i++)
		if (!strncmp(s, entities[i].name, strlen(entities[i].name))) {
			*out = entities[i].c;
			return strlen(entities[i].name);
		}
	if (s[1] != '#')
		return 1;
	code = s[2] == 'x' ? strtol(s + 3, &end, 16) : strtol(s + 2, &end, 10);
	if (*end != ';' || code <= 0 || code > 127)
		return 1;
	*out = (char)code;
	return (size_t)(end + 1 - s);
}

static void
unescape(char *s)
{
	char *out = s;

	while (*s)
		s += unescape_one(s, out++);
	*out = 0;
}

char *
xml_next(const char **p, const char *name)
{
	auto_free char *open = xasprintf("<%s>", name);
	auto_free char *close = xasprintf("</%s>", name);
	const char *start = *p ? strstr(*p, open) : NULL;
	const char *end = start ? strstr(start, close) : NULL;
	char *text;

	if (!end)
		return NULL;
	start += strlen(open);
	text = xasprintf("%.*s", (int)(end - start), start);
	if (!strchr(text, '<'))
		unescape(text);
	*p = end + strlen(close);
	return text;
}
