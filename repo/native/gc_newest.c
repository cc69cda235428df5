/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/gc_newest.h"

#include <errno.h>
#include <inttypes.h>

/* The newest comes first; what lies deeper, the trash, behind all of them. */
static bool
take_first(void *ctx, const struct store_object *o)
{
	uint64_t *n = ctx;

	*n = gc_name_parse(o->name);
	return *n == 0;
}

int
gc_newest_number(struct store *s, uint64_t *n, struct err *e)
{
	*n = 0;
	return store_list_folder(s, "gc/", take_first, n, e);
}

int
gc_newest_at(struct repository *rp, uint64_t n, struct gc_state *s,
	uint8_t hash[HASH_LEN], struct err *e)
{
	auto_free uint8_t *plain = NULL;
	char name[GC_NAME_LEN + 1];
	size_t len;
	int r;

	gc_name(name, n);
	/* of a repository that was put back a cache may have another one */
	store_forget(rp->store, name, 0, UINT64_MAX);
	r = repository_load(rp, name, OBJECT_GC, NULL, GC_LEN_MAX, &plain,
		&len, hash, e);
	if (r)
		return r;
	r = gc_state_decode(plain, len, s, e);
	if (r) {
		if (e)
			err_prefix(e, "%s", name);
		return r;
	}
	if (s->n == n)
		return 0;
	gc_state_release(s);
	return err_set(e, EBADMSG, "%s: is the state of another number", name);
}

int
gc_newest(struct repository *rp, struct gc_state *s, uint8_t hash[HASH_LEN],
	struct err *e)
{
	uint64_t n;
	int r = gc_newest_number(rp->store, &n, e);

	*s = (struct gc_state){ .n = 0 };
	if (r || !n)
		return r;
	r = gc_newest_at(rp, n, s, hash, e);
	/* put and removed since it was listed: there is a newer one */
	if (r == -ENOENT) {
		uint64_t again;

		r = gc_newest_number(rp->store, &again, e);
		if (r == 0 && again != n)
			return gc_newest(rp, s, hash, e);
		if (r == 0)
			r = gc_newest_at(rp, n, s, hash, e);
	}
	return r;
}
