/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of a keyword and its value.  must-read and must-write list features by
 * name; this version knows none.  Keywords that are not known are skipped:
 * they are optional by definition.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/format/header.h"

static const char first_line[] = "yore-repository 1\n";

void
repository_header_encode(const struct repository_header *h, struct buf *b)
{
	char hex[REPOSITORY_ID_LEN * 2 + 1];

	buf_printf(b, "%sid %s\ncreated %s\nmust-read\nmust-write\noptional\n",
		first_line, hex_encode(hex, h->id, REPOSITORY_ID_LEN),
		h->created);
}

void
repository_header_add_mac(struct buf *b, const uint8_t mac[HASH_LEN])
{
	char hex[HASH_LEN * 2 + 1];

	buf_printf(b, "mac %s\n", hex_encode(hex, mac, HASH_LEN));
}

/* The value when the line begins with the keyword, else NULL. */
static const char *
value_of(const char *line, const char *keyword)
{
	size_t n = strlen(keyword);

	if (strncmp(line, keyword, n) || (line[n] != ' ' && line[n]))
		return NULL;
	return line[n] ? line + n + 1 : line + n;
}

/* n bytes in digits and nothing else. */
static bool
take_hex(const char *digits, uint8_t *out, size_t n)
{
	return strlen(digits) == 2 * n && !hex_decode(out, n, digits);
}

static int
take_line(const char *line, struct repository_header *h, bool *id, bool *mac,
	struct err *e)
{
	const char *v;

	if ((v = value_of(line, "id"))) {
		if (*id || !take_hex(v, h->id, REPOSITORY_ID_LEN))
			return err_set(e, EUCLEAN,
				"repository header has not one id");
		*id = true;
	} else if ((v = value_of(line, "created"))) {
		snprintf(h->created, sizeof(h->created), "%s", v);
	} else if ((v = value_of(line, "must-read"))) {
		if (*v)
			return err_set(e, EPROTONOSUPPORT,
				"repository needs features this yore lacks: "
				"%.80s; use a newer yore",
				v);
	} else if ((v = value_of(line, "must-write"))) {
		if (*v)
			h->must_write_unknown = true;
	} else if ((v = value_of(line, "mac"))) {
		*mac = take_hex(v, h->mac, HASH_LEN);
	}
	return 0;
}

static int
check_first_line(const char *text, size_t len, struct err *e)
{
	size_t n = sizeof(first_line) - 1;

	if (len >= n && !memcmp(text, first_line, n))
		return 0;
	if (len > 16 && !memcmp(text, "yore-repository ", 16) &&
		text[16] >= '1' && text[16] <= '9')
		return err_set(e, EPROTONOSUPPORT,
			"repository has a newer format than 1; "
			"use a newer yore");
	return err_set(e, EUCLEAN, "not a yore repository");
}

int
repository_header_decode(const uint8_t *text, size_t len,
	struct repository_header *h, struct err *e)
{
	char buf[HEADER_LEN_MAX + 1];
	bool id = false, mac = false;
	char *line = buf;

	memset(h, 0, sizeof(*h));
	if (len > HEADER_LEN_MAX)
		return err_set(e, EUCLEAN, "repository header is too long");
	memcpy(buf, text, len);
	buf[len] = 0;
	int r = check_first_line(buf, len, e);
	while (!r && !mac) {
		char *nl = strchr(line, '\n');

		if (!nl)
			break;
		*nl = 0;
		h->mac_covers = (size_t)(line - buf);
		r = take_line(line, h, &id, &mac, e);
		line = nl + 1;
	}
	if (r)
		return r;
	if (!id || !mac || line != buf + len)
		return err_set(e, EUCLEAN, "repository header is damaged");
	return 0;
}
