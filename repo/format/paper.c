/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eight bytes a line, each line with a check of its own, so that who types it
 * in learns where he erred; and one over all.  The checks find mistakes, they
 * keep nobody out.
 */
#include "repo/format/paper.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/crypto/id.h"

#define LABEL "yore/1/paper"
#define LINE_LEN 8
#define CHECK_LEN 2
#define SUM_LEN 4
#define WORDS_MAX 80

static size_t
paper_len(const struct paper *p)
{
	return p->sealed ? SLOT_LEN : KEY_LEN;
}

/* First n bytes of SHA-256(label || repository id || u8 number || bytes). */
static void
check(const struct paper *p, unsigned number, const uint8_t *bytes, size_t len,
	uint8_t *out, size_t n)
{
	uint8_t all[sizeof(LABEL) + REPOSITORY_ID_LEN + SLOT_LEN];
	uint8_t hash[HASH_LEN];
	size_t at = sizeof(LABEL) - 1;

	memcpy(all, LABEL, at);
	memcpy(all + at, p->repository_id, REPOSITORY_ID_LEN);
	at += REPOSITORY_ID_LEN;
	all[at++] = (uint8_t)number;
	memcpy(all + at, bytes, len);
	sha256(all, at + len, hash);
	memcpy(out, hash, n);
	secret_wipe(all, sizeof(all));
}

/* -- Encoding ----------------------------------------------------------------- */

/* Digits in groups of four, one space before each. */
static size_t
put_groups(char *out, const uint8_t *bytes, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i += 2)
		n += (size_t)sprintf(out + n, " %02x%02x", bytes[i], bytes[i + 1]);
	return n;
}

size_t
paper_encode(const struct paper *p, char out[PAPER_TEXT_MAX])
{
	char id[REPOSITORY_ID_LEN * 2 + 1];
	uint8_t sum[SUM_LEN];
	size_t len = paper_len(p), n;

	n = (size_t)sprintf(out, "yore-key 1\nrepository %s\nkind %s\n",
		hex_encode(id, p->repository_id, REPOSITORY_ID_LEN),
		p->sealed ? "sealed" : "plain");
	for (size_t i = 0; i < len; i += LINE_LEN) {
		size_t part = len - i < LINE_LEN ? len - i : LINE_LEN;
		unsigned line = (unsigned)(i / LINE_LEN + 1);
		uint8_t c[CHECK_LEN];

		check(p, line, p->bytes + i, part, c, sizeof(c));
		n += (size_t)sprintf(out + n, "%2u ", line);
		n += put_groups(out + n, p->bytes + i, part);
		n += (size_t)sprintf(out + n, "  %02x%02x\n", c[0], c[1]);
	}
	check(p, 0, p->bytes, len, sum, sizeof(sum));
	n += (size_t)sprintf(out + n, "sum");
	n += put_groups(out + n, sum, sizeof(sum));
	n += (size_t)sprintf(out + n, "\n");
	return n;
}

/* -- Decoding ----------------------------------------------------------------- */

struct reader {
	const char *at, *end;
	unsigned number; /* of the line in the text */
	char line[WORDS_MAX]; /* what stands in it but spaces, lower case */
};

/* The next line that says something; 0 at the end. */
static int
next_line(struct reader *r, struct err *e)
{
	size_t n = 0;

	while (n == 0 && r->at < r->end) {
		bool skip = *r->at == '#';

		r->number++;
		for (; r->at < r->end && *r->at != '\n'; r->at++) {
			unsigned char c = (unsigned char)*r->at;

			if (skip || isspace(c))
				continue;
			if (n == sizeof(r->line) - 1 || !isprint(c))
				return err_set(e, EINVAL,
					"line %u: no line of a paper key",
					r->number);
			r->line[n++] = (char)tolower(c);
		}
		if (r->at < r->end)
			r->at++;
	}
	r->line[n] = '\0';
	return n > 0;
}

static int
wrong(const struct reader *r, struct err *e)
{
	return err_set(e, EINVAL, "line %u: mistyped, or not of a paper key",
		r->number);
}

/* A line that is `word` and then n bytes as digits. */
static int
take(struct reader *r, const char *word, uint8_t *bytes, size_t n,
	struct err *e)
{
	size_t k = strlen(word);
	int got = next_line(r, e);

	if (got < 0)
		return got;
	if (!got)
		return err_set(e, EINVAL, "a paper key that ends too early");
	if (strncmp(r->line, word, k) != 0 ||
		hex_decode(bytes, n, r->line + k))
		return wrong(r, e);
	return 0;
}

static int
take_head(struct reader *r, struct paper *p, struct err *e)
{
	uint8_t none;
	int ret = next_line(r, e);

	if (ret < 0)
		return ret;
	if (!ret || strncmp(r->line, "yore-key", 8) != 0)
		return err_set(e, EINVAL, "this is no paper key of yore");
	if (strcmp(r->line + 8, "1") != 0)
		return err_set(e, EINVAL,
			"a paper key of a kind that this yore does not know");
	ret = take(r, "repository", p->repository_id, REPOSITORY_ID_LEN, e);
	if (ret)
		return ret;
	ret = take(r, "kindplain", &none, 0, NULL);
	if (ret && strcmp(r->line, "kindsealed") != 0)
		return wrong(r, e);
	p->sealed = ret != 0;
	return 0;
}

static int
take_bytes(struct reader *r, struct paper *p, struct err *e)
{
	size_t len = paper_len(p);

	for (size_t i = 0; i < len; i += LINE_LEN) {
		size_t part = len - i < LINE_LEN ? len - i : LINE_LEN;
		unsigned line = (unsigned)(i / LINE_LEN + 1);
		uint8_t got[LINE_LEN + CHECK_LEN], c[CHECK_LEN];
		char word[12];
		int ret;

		snprintf(word, sizeof(word), "%u", line);
		ret = take(r, word, got, part + CHECK_LEN, e);
		if (ret)
			return ret;
		memcpy(p->bytes + i, got, part);
		check(p, line, p->bytes + i, part, c, sizeof(c));
		if (memcmp(c, got + part, CHECK_LEN) != 0)
			return wrong(r, e);
	}
	return 0;
}

int
paper_decode(const char *text, size_t len, struct paper *p, struct err *e)
{
	struct reader r = { .at = text, .end = text + len };
	uint8_t sum[SUM_LEN], expected[SUM_LEN];
	int ret;

	memset(p, 0, sizeof(*p));
	ret = take_head(&r, p, e);
	if (!ret)
		ret = take_bytes(&r, p, e);
	if (!ret)
		ret = take(&r, "sum", sum, sizeof(sum), e);
	if (!ret) {
		check(p, 0, p->bytes, paper_len(p), expected, sizeof(expected));
		if (memcmp(sum, expected, sizeof(sum)) != 0)
			ret = wrong(&r, e);
	}
	secret_wipe(r.line, sizeof(r.line));
	if (ret)
		secret_wipe(p, sizeof(*p));
	return ret;
}
