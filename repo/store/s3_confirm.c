/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What arrived is what was sent, for the service compares each body with the
 * SHA-256 that its signature covers.  That it was stored is its word only; so
 * it is asked for afterwards.  For packs that costs no time, since others are
 * on their way meanwhile.
 */
#include "repo/store/s3_confirm.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include "repo/base/log.h"

/* A service whose nodes need a moment to agree. */
#define LOOKS 4
#define FIRST_PAUSE_MS 100

bool
s3_confirm_wants(const char *name)
{
	static const char *const prefixes[] = { "data/", "meta/", "snap/",
		"keys/", "db/" };

	for (size_t i = 0; i < n_elements(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return strcmp(name, "format") == 0;
}

static int
lost(const struct s3_sink *s, const char *name, int code, const char *what,
	struct err *e)
{
	auto_free char *where = s3_client_address(s->client, name);

	return err_set(e, code,
		"%s: the service said that it was stored, but %s", where, what);
}

static int
look(struct s3_sink *s, const char *name, uint64_t len, const char *etag,
	struct err *e)
{
	auto_s3_call struct s3_call call = {
		.kind = S3_HEAD, .method = "HEAD", .name = name
	};
	const struct http_head *h = &call.rs.head;
	int r = s3_call(s->client, &call, e);

	if (r == -ENOENT)
		return lost(s, name, ENODATA, "it is not there", e);
	if (r < 0)
		return r;
	if (h->length != (int64_t)len)
		return lost(s, name, EBADMSG, "it has another length", e);
	if (*etag && h->etag[0] && strcmp(etag, h->etag) != 0)
		return lost(s, name, EBADMSG, "it is another object", e);
	return 0;
}

static void
pause_before(unsigned n)
{
	int64_t ms = (int64_t)FIRST_PAUSE_MS << n;
	struct timespec ts = { .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

int
s3_confirm(struct s3_sink *s, const char *name, uint64_t len, const char *etag,
	struct err *e)
{
	int r = 0;

	for (unsigned n = 0; n < LOOKS; n++) {
		if (atomic_load(&s->blind))
			return 0;
		if (n > 0)
			pause_before(n - 1);
		r = look(s, name, len, etag, e);
		if (r != -ENODATA)
			break;
	}
	if (r != -EACCES)
		return r;
	if (!atomic_exchange(&s->blind, true))
		log_info("%s: this key may not read: what is stored is not "
			 "looked for again",
			s->client->config.name);
	if (e)
		*e = (struct err)ERR_INIT;
	return 0;
}
