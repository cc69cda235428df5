/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/header.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/native/records.h"
#include "repo/native/slots.h"
#include "repo/native/whose.h"

#define LOOK_AT 8 /* objects, for their ids */
#define TRY_RECORDS 4

/* -- What is there ------------------------------------------------------ */

/* `format` as it is; 0, -EUCLEAN damaged, -ENOENT, other -errno. */
static int
read_header(struct repository *rp, uint8_t **text, size_t *len, struct err *e)
{
	int r = store_get_all(rp->store, "format", HEADER_LEN_MAX, text, len, e);

	return r ? r : repository_header_decode(*text, *len, &rp->header, e);
}

static bool
is_under(const struct repository *rp, const uint8_t *text)
{
	uint8_t mac[HASH_LEN];

	header_mac(rp->keys, text, rp->header.mac_covers, mac);
	return !memcmp(mac, rp->header.mac, HASH_LEN);
}

/* -- Putting it --------------------------------------------------------- */

static void
set_id(struct repository *rp, const uint8_t id[REPOSITORY_ID_LEN])
{
	struct repository_header h = { .mac_covers = 0 };

	memcpy(h.id, id, REPOSITORY_ID_LEN);
	rp->header = h;
	hex_encode(rp->id_text, h.id, REPOSITORY_ID_LEN);
}

/* As repository_init does; it is there already if somebody else was faster. */
static int
put(struct repository *rp, struct sink *sink, struct err *e)
{
	auto_buf struct buf text = BUF_INIT;
	uint8_t mac[HASH_LEN];
	time_t now = time(NULL);
	struct tm tm;
	int r;

	gmtime_r(&now, &tm);
	strftime(rp->header.created, sizeof(rp->header.created),
		"%Y-%m-%dT%H:%M:%SZ", &tm);
	repository_header_encode(&rp->header, &text);
	header_mac(rp->keys, text.data, text.len, mac);
	repository_header_add_mac(&text, mac);
	r = sink_remove(sink, "format", e);
	if (r && r != -ENOENT)
		return r;
	return sink_put(sink, "format", text.data, text.len, e);
}

static int
put_at(const char *repo, struct repository *rp, struct err *e)
{
	auto_sink struct sink *sink = NULL;
	int r = sink_open(repo, false, &sink, e);

	return r ? r : put(rp, sink, e);
}

/* -- By a key slot ------------------------------------------------------ */

/* Unlock under the id of the header, if that can be read, else under those that
 * objects have.  -EKEYREJECTED: no slot opens under any. */
static int
unlock(struct repository *rp, const struct history_open_options *o,
	bool readable, struct err *e)
{
	auto_slots struct slots *slots = xcalloc(1, sizeof(*slots));
	struct repository_header tried = rp->header;
	struct whose w;
	int r = slots_list(rp->store, slots, e);

	if (!r)
		r = readable ? slots_unlock(slots, rp, o, e) : -EKEYREJECTED;
	if (r != -EKEYREJECTED)
		return r;
	r = whose_look(rp->store, LOOK_AT, &w, e);
	if (!r)
		r = err_set(e, EKEYREJECTED,
			"%s: no object says the repository's id, without which "
			"no key slot opens", rp->store->name);
	for (unsigned i = 0; i < w.n && r == -EKEYREJECTED; i++) {
		if (readable && !memcmp(tried.id, w.id[i], sizeof(tried.id)))
			continue;
		set_id(rp, w.id[i]);
		r = slots_unlock(slots, rp, o, e);
	}
	return r;
}

static int
find_fault(struct repository *rp, const struct history_open_options *o,
	const char **how, struct err *e)
{
	auto_free uint8_t *text = NULL;
	size_t len = 0;
	struct err why = ERR_INIT;
	int r = read_header(rp, &text, &len, &why), opened;
	uint8_t id[REPOSITORY_ID_LEN];

	if (r && r != -ENOENT && r != -EUCLEAN) {
		*e = why;
		return r;
	}
	*how = r == -ENOENT ? "was not there" : "was damaged";
	memcpy(id, rp->header.id, sizeof(id));
	opened = unlock(rp, o, !r, e);
	if (opened)
		return opened;
	if (!r && !memcmp(id, rp->header.id, sizeof(id)) && is_under(rp, text))
		return 0;
	set_id(rp, rp->header.id);
	return 1;
}

int
header_rebuild(const char *repo, const struct history_open_options *o,
	bool write, const char **how, struct err *e)
{
	auto_repository struct repository *rp = xcalloc(1, sizeof(*rp));
	int r = store_open(repo, &rp->store, e);

	if (!r)
		r = find_fault(rp, o, how, e);
	if (r == 1 && write) {
		r = put_at(repo, rp, e);
		r = r ? r : 1;
	}
	return r;
}

/* -- By paper ----------------------------------------------------------- */

static bool
add_record(void *ctx, const char *name, uint64_t size)
{
	struct record_places *all = ctx;
	struct record_place p;

	(void)size;
	if (!record_place_parse(name, &p))
		record_places_add(all, &p);
	return all->n < TRY_RECORDS;
}

/* Whether a record unseals, or there is none. */
static int
try_records(struct repository *rp, struct err *e)
{
	struct record_places all = { .n = 0 };
	int r = store_list_few(rp->store, "snap/", add_record, &all, e);
	bool opened = all.n == 0;

	for (size_t i = 0; i < all.n && !r && !opened; i++) {
		struct record rec;
		uint8_t hash[HASH_LEN];

		opened = !records_load_one(rp, &all.p[i], &rec, hash, NULL);
		if (opened)
			record_release(&rec);
	}
	record_places_release(&all);
	if (!r && !opened)
		r = err_set(e, EBADMSG, "%s: snapshots are not of this key",
			rp->store->name);
	return r;
}

/* Whether what there is, is of the repository that the paper names. */
static int
compare_objects(struct repository *rp, const uint8_t id[REPOSITORY_ID_LEN],
	bool readable, struct err *e)
{
	struct whose w;
	int r = whose_look(rp->store, LOOK_AT, &w, e);

	if (r || whose_has(&w, id))
		return r;
	if (w.n || readable)
		return err_set(e, EINVAL,
			"%s: the paper key is of another repository",
			rp->store->name);
	return err_set(e, ENOENT,
		"%s: no yore repository there, nor anything of one",
		rp->store->name);
}

int
header_make_sure(struct repository *rp, struct sink *sink,
	const uint8_t id[REPOSITORY_ID_LEN], const uint8_t root[KEY_LEN],
	struct err *e)
{
	auto_free uint8_t *text = NULL;
	size_t len = 0;
	struct err why = ERR_INIT;
	int r = read_header(rp, &text, &len, &why);

	if (r && r != -ENOENT && r != -EUCLEAN) {
		*e = why;
		return err_prefix(e, "%s", rp->store->name);
	}
	rp->keys = keyring_new(id, root);
	if (!r && !memcmp(rp->header.id, id, REPOSITORY_ID_LEN) &&
		is_under(rp, text)) {
		hex_encode(rp->id_text, id, REPOSITORY_ID_LEN);
		return 0;
	}
	set_id(rp, id);
	r = compare_objects(rp, id, !r, e);
	if (!r)
		r = try_records(rp, e);
	return r ? r : put(rp, sink, e);
}
