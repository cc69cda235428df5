/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/fetch/cached.h"
#include "repo/format/header.h"
#include "repo/native/remote.h"
#include "repo/native/state.h"

/* Whether a cache is wanted before the store. */
static bool
wants_cache(const struct store *s, const struct history_open_options *o)
{
	return !s->local_path && o && !(o->cache_dir && !*o->cache_dir);
}

static int
put_before(struct store **s, const struct history_open_options *o,
	const uint8_t *id, struct err *e)
{
	const struct cached_options how = { .offline = o->offline };
	const struct cache_options which = { .repository_id = id,
		.patient = o->patient };
	auto_free char *dir = o->cache_dir ? xstrdup(o->cache_dir)
					   : cache_default_dir();
	struct cache *c = NULL;
	int r;

	if (!dir)
		return err_set(e, ENOENT, "no directory for the cache: set "
					  "HOME or XDG_CACHE_HOME");
	r = cache_open(dir, &which, &c, e);
	if (r == 0)
		*s = cached_new(*s, c, &how);
	return r;
}

bool
remote_guess(struct store **s, const struct history_open_options *o)
{
	char text[REPOSITORY_ID_LEN * 2 + 1];
	uint8_t id[REPOSITORY_ID_LEN];

	return wants_cache(*s, o) && state_last_id(*s, text) == 0 &&
	       hex_decode(id, sizeof(id), text) == 0 &&
	       put_before(s, o, id, NULL) == 0;
}

int
remote_known(struct store **s, const struct history_open_options *o,
	const uint8_t *id, const void *header, size_t header_len, struct err *e)
{
	struct err why = ERR_INIT;
	int r;

	if (!wants_cache(*s, o) || cached_cache(*s))
		return 0;
	r = put_before(s, o, id, &why);
	if (r == 0)
		cache_put(cached_cache(*s), "format", header, header_len);
	else if (o->offline)
		return err_set(e, ENETDOWN, "%s", why.text);
	else
		log_warn("going on without the disk cache: %s", why.text);
	return 0;
}

int
remote_confirm(
	struct store *s, const void *header, size_t header_len, struct err *e)
{
	auto_free uint8_t *now = NULL;
	size_t len;
	int r = store_get_all(
		cached_inner(s), "format", HEADER_LEN_MAX, &now, &len, e);

	if (r < 0)
		return r;
	if (len == header_len && memcmp(now, header, len) == 0)
		return 0;
	return err_set(e, ESTALE, "%s: another repository was here before",
		s->name);
}
