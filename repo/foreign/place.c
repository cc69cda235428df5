/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/place.h"

#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/crypto/id.h"
#include "repo/foreign/pieces.h"
#include "repo/foreign/recall.h"

/* As repo/native: beside this there is what SQLite, curl and malloc take. */
#define MEMORY_DEFAULT (60u << 20)

struct foreign_place *
foreign_place_new(struct store *s, const struct history_open_options *o)
{
	struct foreign_place *p = xcalloc(1, sizeof(*p));

	p->refs = 1;
	p->store = s->local_path ? s : recall_new(s, p);
	p->direct = s;
	p->memory = o && o->memory ? o->memory : MEMORY_DEFAULT;
	p->offline = o && o->offline;
	p->cache_dir = o && o->cache_dir ? xstrdup(o->cache_dir) : NULL;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

struct foreign_place *
foreign_place_get(struct foreign_place *p)
{
	p->refs++;
	return p;
}

void
foreign_place_put(struct foreign_place *p)
{
	if (!p || --p->refs > 0)
		return;
	pieces_free(p->pieces);
	kept_close(p->kept);
	store_free(p->store);
	pthread_mutex_destroy(&p->lock);
	free(p->cache_dir);
	free(p);
}

int
foreign_place_kept(struct foreign_place *p, struct kept **k, struct err *e)
{
	const struct kept_options o = { .cache_dir = p->cache_dir,
		.address = p->store->name,
		.offline = foreign_place_offline(p) };
	auto_lock(&p->lock);
	int r = p->kept ? 0 : kept_open(&o, &p->kept, e);

	*k = p->kept;
	return r;
}

struct pieces *
foreign_place_pieces(struct foreign_place *p)
{
	struct kept *k = NULL;

	if (!p->store->local_path)
		foreign_place_kept(p, &k, NULL);
	auto_lock(&p->lock);
	if (!p->pieces)
		p->pieces = pieces_new(p, k, p->memory / 2);
	return p->pieces;
}

bool
foreign_place_offline(const struct foreign_place *p)
{
	return p->offline && !p->store->local_path;
}

void
foreign_place_name(const struct foreign_place *p, struct history *h)
{
	uint8_t hash[HASH_LEN];

	sha256(p->store->name, strlen(p->store->name), hash);
	hex_encode(h->id, hash, REPOSITORY_ID_LEN);
	h->name = xstrdup(p->store->name);
	h->local_path =
		p->store->local_path ? xstrdup(p->store->local_path) : NULL;
}

void
foreign_place_unname(struct history *h)
{
	free(h->name);
	free(h->local_path);
}

void
foreign_place_stats(const struct foreign_place *p, struct history_stats *s)
{
	struct store_stats st;

	store_stats(p->store, &st);
	s->store_lists = st.lists;
	s->store_gets = st.gets + st.heads;
	s->store_bytes = st.bytes;
	s->store_errors = st.errors;
}
