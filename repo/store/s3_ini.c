/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/s3_ini.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/crypto/keyring.h"

struct span {
	const char *p;
	size_t len;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span
trimmed(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	while (end > p && is_blank(end[-1]))
		end--;
	return (struct span){ p, (size_t)(end - p) };
}

static bool
is(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

/* Whether a line between [ and ] names the section. */
static bool
names(struct span line, const char *section)
{
	const char *end = memchr(line.p, ']', line.len);
	struct span name = trimmed(line.p + 1, end ? end : line.p + 1);

	if (is(name, section))
		return true;
	if (name.len <= 8 || memcmp(name.p, "profile ", 8) != 0)
		return false;
	return is(trimmed(name.p + 8, name.p + name.len), section);
}

char *
s3_ini_value(const char *text, size_t len, const char *section, const char *key)
{
	const char *end = text + len, *next;
	bool inside = false;

	for (; text < end; text = next) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		const char *equals;
		struct span line;

		next = eol ? eol + 1 : end;
		if (is_blank(*text) || *text == '#' || *text == ';')
			continue;
		line = trimmed(text, eol ? eol : end);
		if (line.len > 0 && *line.p == '[') {
			inside = names(line, section);
			continue;
		}
		equals = memchr(line.p, '=', line.len);
		if (!inside || !equals || !is(trimmed(line.p, equals), key))
			continue;
		line = trimmed(equals + 1, line.p + line.len);
		return strndup(line.p, line.len);
	}
	return NULL;
}

char *
s3_ini_file(const char *path, const char *section, const char *key)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text, *value;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return NULL;
	text = xmalloc(S3_INI_MAX);
	while (len < S3_INI_MAX &&
		(n = read(fd, text + len, S3_INI_MAX - len)) > 0)
		len += (size_t)n;
	value = s3_ini_value(text, len, section, key);
	secret_wipe(text, len);
	free(text);
	return value;
}
