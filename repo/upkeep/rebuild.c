/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/rebuild_private.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/native/gc_newest.h"
#include "repo/native/id_set.h"
#include "repo/native/newest.h"
#include "repo/native/records.h"
#include "repo/store/web_head.h"
#include "repo/write/catalogs.h"

#define SORTER_MEMORY (32u << 20)

static int
compare_entries(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct rebuild_entry));
}

/* -- Catalogs
 * ---------------------------------------------------------------------- */

/* What the newest catalogs have, as far as they can be read. */
static int
look_at_catalogs(
	struct rebuild *rb, struct id_set *ids, bool *wrong, struct err *e)
{
	struct newest *nw = xcalloc(1, sizeof(*nw));
	int r = newest_list(rb->u->rp->store, nw, e);

	*wrong = nw->n == 0;
	for (unsigned i = 0; i < nw->n && !r; i++) {
		struct catalog c = { .n = 0 };
		struct err why = ERR_INIT;

		r = newest_load(rb->u->rp, nw->names[i], &c, &why);
		for (size_t k = 0; k < c.n && !r; k++)
			id_set_add(ids, c.records[k].id);
		catalog_release(&c);
		if (r == -EBADMSG || r == -EUCLEAN || r == -ENOENT) {
			rb->o->report(rb->o->ctx, nw->names[i],
				"the catalog cannot be read");
			*wrong = true;
			r = 0;
		} else if (r) {
			*e = why;
		}
	}
	id_set_sort(ids);
	free(nw);
	return r;
}

static int
rebuild_catalogs(struct rebuild *rb, struct err *e)
{
	struct record_places all = { .n = 0 };
	struct id_set ids = { .n = 0 };
	bool wrong = false;
	int r = look_at_catalogs(rb, &ids, &wrong, e);

	if (!r)
		r = records_list(rb->u->rp, "snap/", &all, e);
	for (size_t i = 0; i < all.n && !r; i++)
		rb->res->catalogs_lack += !id_set_has(&ids, all.p[i].id);
	rb->res->catalogs =
		all.n && (wrong || rb->res->catalogs_lack || ids.n > all.n);
	if (!r && rb->res->catalogs && rb->o->write)
		r = catalogs_settle(rb->u->rp, rb->u->sink, e);
	record_places_release(&all);
	id_set_release(&ids);
	return r;
}

/* -- Head
 * ---------------------------------------------------------------------------
 */

/* It is replaced, the only object that may be, if there is one. */
static int
replace_head(struct rebuild *rb, const char *text, size_t len, struct err *e)
{
	auto_free uint8_t *old = NULL;
	size_t old_len = 0;
	int r = store_get_all(rb->u->rp->store, WEB_HEAD_NAME, WEB_HEAD_MAX,
		&old, &old_len, e);

	if (r)
		return r == -ENOENT ? 0 : r;
	rb->res->head = old_len != len || memcmp(old, text, len) != 0;
	if (!rb->res->head || !rb->o->write)
		return 0;
	r = sink_remove(rb->u->sink, WEB_HEAD_NAME, e);
	return r ? r : sink_put(rb->u->sink, WEB_HEAD_NAME, text, len, e);
}

static int
rebuild_head(struct rebuild *rb, struct err *e)
{
	auto_free char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r = out ? web_head_print(rb->u->rp->store, out, e) : -ENOMEM;

	if (out && fclose(out) && !r)
		r = err_sys(e, errno, "head");
	return r ? r : replace_head(rb, text, len, e);
}

/* -- All
 * -----------------------------------------------------------------------------
 */

int
rebuild_run(struct upkeep *u, const struct rebuild_options *o,
	struct rebuild_result *result, struct err *e)
{
	struct rebuild rb = { .u = u, .o = o, .res = result };
	uint64_t strange = 0;
	int r;

	*result = (struct rebuild_result){ .packs = 0 };
	rb.entries = sorter_new(
		sizeof(struct rebuild_entry), compare_entries, SORTER_MEMORY);
	r = gc_newest(u->rp, &rb.state, NULL, e);
	if (!r)
		r = check_packs_list(&rb.packs, u->rp->store, &strange, e);
	if (!r && *rb.packs.fault)
		r = err_set(e, EIO, "the store's listing is wrong: %s",
			rb.packs.fault);
	if (!r)
		r = rebuild_packs(&rb, e);
	if (!r)
		r = rebuild_index(&rb, e);
	if (!r)
		r = rebuild_catalogs(&rb, e);
	if (!r)
		r = rebuild_head(&rb, e);
	sorter_free(rb.entries);
	check_packs_release(&rb.packs);
	gc_state_release(&rb.state);
	return r;
}
