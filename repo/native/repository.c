/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/format/object.h"
#include "repo/fetch/cached.h"
#include "repo/native/early.h"
#include "repo/native/remote.h"
#include "repo/native/repository.h"
#include "repo/native/slots.h"
#include "repo/native/whose.h"
#include "repo/fetch/together.h"

static int
read_header(struct repository *rp, uint8_t **text, size_t *len, struct err *e)
{
	int r = store_get_all(
		rp->store, "format", HEADER_LEN_MAX, text, len, e);

	if (r == -ENOENT)
		return err_set(e, ENOENT,
			"%s: no yore repository there; `yore init -r %s` "
			"makes one",
			rp->store->name, rp->store->name);
	if (!r)
		r = repository_header_decode(*text, *len, &rp->header, e);
	if (r)
		return err_prefix(e, "%s", rp->store->name);
	hex_encode(rp->id_text, rp->header.id, REPOSITORY_ID_LEN);
	return 0;
}

/* -- Opening ------------------------------------------------------------------
 *
 * Of a remote store everything is asked for as soon as its name is known, in
 * two rounds: the header and what lists keys/ and cat/; then key slots and
 * catalogs.  A local one is asked for slots as they are tried, and before that
 * in order, or, when it is to be mounted, for the first round at the same time as
 * well: a disk answers better to several, too.  snap/ follows it.
 */

struct opening {
	struct repository *rp;
	struct slots *slots;
	uint8_t *text; /* of the header; given */
	size_t len;
	bool doubt; /* the header was kept: is it still the store's? */
	struct {
		int r;
		struct err e;
	} header, list;
};

enum {
	READ_HEADER,
	LIST_SLOTS,
	LIST_CATALOGS,
	/* map libraries, for which other threads may wait */
	PREPARE_SEALING,
	PREPARE_PACKING,
	FIRST_ROUND
};

static void
first_round(void *ctx, size_t i)
{
	struct opening *o = ctx;
	struct repository *rp = o->rp;

	switch (i) {
	case READ_HEADER:
		o->header.r = read_header(rp, &o->text, &o->len, &o->header.e);
		break;
	case LIST_SLOTS:
		o->list.r = slots_list(rp->store, o->slots, &o->list.e);
		break;
	case LIST_CATALOGS:
		if (rp->early)
			early_list(rp->early, rp->store);
		break;
	case PREPARE_SEALING:
		frame_prepare_sealing();
		break;
	default:
		frame_prepare_packing();
	}
}

static void
second_round(void *ctx, size_t i)
{
	struct opening *o = ctx;

	if (i < o->slots->n)
		slots_read(o->rp->store, o->slots, i);
	else if (o->doubt && i == o->slots->n)
		o->header.r = remote_confirm(
			o->rp->store, o->text, o->len, &o->header.e);
	else
		early_get(
			o->rp->early, o->rp->store, i - o->slots->n - o->doubt);
}

/* A header that was kept need not be asked for again as long as the newest
 * catalogs are known, too: they could not be of another repository. */
static bool
has_news(const struct early *ea, struct store *s)
{
	if (!ea->listed || ea->newest.n == 0)
		return true;
	for (unsigned i = 0; i < ea->newest.n; i++) {
		if (!cached_holds(s, ea->newest.names[i]))
			return true;
	}
	return false;
}

/* What was listed before there was a cache to keep it in. */
static void
keep_names(const struct opening *o)
{
	const struct early *ea = o->rp->early;
	const char *names[NEWEST_MAX];

	slots_keep(o->rp->store, o->slots);
	if (!ea || !ea->listed)
		return;
	for (unsigned i = 0; i < ea->newest.n; i++)
		names[i] = ea->newest.names[i];
	cached_keep_names(o->rp->store, "cat/", names, ea->newest.n);
}

#define MAKE_ANEW "`yore rebuild --write` makes it anew"

/* Why there is no repository, or none that can be unlocked.  That it is none
 * says more than that it has no keys. */
static int
nothing(const struct opening *o, struct err *e)
{
	const char *name = o->rp->store->name;

	if (o->header.r == -ENOENT && slots_any(o->slots))
		return err_set(e, EUCLEAN,
			"%s: the repository header `format` is not there, but "
			"key slots are; " MAKE_ANEW, name);
	if (o->header.r == -EUCLEAN && slots_any(o->slots))
		return err_set(e, EUCLEAN,
			"%s: the repository header `format` is damaged; "
			MAKE_ANEW, name);
	if (e)
		*e = o->header.r ? o->header.e : o->list.e;
	return o->header.r ? o->header.r : o->list.r;
}

/* No slot opens under the id that the header has: is it what objects say? */
static int
other_id(struct repository *rp, struct err *e)
{
	struct whose w;

	if (whose_look(rp->store, 1, &w, NULL) || !w.n ||
		whose_has(&w, rp->header.id))
		return -EKEYREJECTED;
	return err_set(e, EUCLEAN,
		"%s: the repository header `format` is damaged: objects are of "
		"another id; " MAKE_ANEW, rp->store->name);
}

/* Both rounds; afterwards the slots are there, or why not is in e. */
static int
gather(struct opening *o, const struct history_open_options *options,
	struct err *e)
{
	struct repository *rp = o->rp;
	bool remote = !rp->store->local_path;

	together_run(FIRST_ROUND, remote || rp->early, first_round, o);
	/* wanted after the catalogs, and in the disk's way until then */
	if (!remote && rp->early)
		early_list_records(rp->early, rp);
	if (o->header.r || o->list.r)
		return nothing(o, e);
	bool kept = cached_cache(rp->store) != NULL;

	o->doubt = kept && !options->offline && rp->early &&
		   has_news(rp->early, rp->store);
	int r = remote_known(
		&rp->store, options, rp->header.id, o->text, o->len, e);
	if (r)
		return r;
	if (!kept && cached_cache(rp->store))
		keep_names(o);
	if (remote)
		together_run(o->slots->n + o->doubt +
				     (rp->early ? rp->early->newest.n : 0),
			true, second_round, o);
	if (o->header.r && e)
		*e = o->header.e;
	return o->header.r;
}

static int
unlock(struct repository *rp, const struct history_open_options *options,
	struct err *e)
{
	auto_slots struct slots *slots = xcalloc(1, sizeof(*slots));
	struct opening o = { .rp = rp, .slots = slots };
	uint8_t mac[HASH_LEN];
	int r = gather(&o, options, e);

	if (!r)
		r = slots_unlock(slots, rp, options, e);
	if (r == -EKEYREJECTED)
		r = other_id(rp, e);
	if (!r) {
		header_mac(rp->keys, o.text, rp->header.mac_covers, mac);
		if (memcmp(mac, rp->header.mac, HASH_LEN))
			r = err_set(e, EBADMSG,
				"%s: the repository header `format` has been "
				"altered; " MAKE_ANEW,
				rp->store->name);
	}
	free(o.text);
	return r;
}

/* *guess: whether to take it for the repository that was there last; set to
 * whether that was done. */
static int
try_open(const char *repo, const struct history_open_options *o, bool early,
	bool *guess, struct repository **rp, struct err *e)
{
	auto_repository struct repository *p = xcalloc(1, sizeof(*p));
	int r = store_open(repo, &p->store, e);

	if (r)
		return r;
	/* who writes must know what it is */
	*guess = *guess && early && remote_guess(&p->store, o);
	if (o && o->offline && !*guess && !p->store->local_path)
		return err_set(e, ENETDOWN,
			"%s: not in the cache, and offline "
			"nothing else is asked",
			p->store->name);
	if (early)
		p->early = early_new();
	r = unlock(p, o, e);
	if (r)
		return r;
	if (cached_cache(p->store))
		cached_set_keys(p->store, p->keys);
	*rp = steal(p);
	return 0;
}

int
repository_open_on(struct store *s, const struct history_open_options *o,
	struct repository **rp, struct err *e)
{
	auto_repository struct repository *p = xcalloc(1, sizeof(*p));
	int r;

	p->store = s;
	r = unlock(p, o, e);
	if (r)
		return r;
	if (cached_cache(p->store))
		cached_set_keys(p->store, p->keys);
	*rp = steal(p);
	return 0;
}

static int
open_repository(const char *repo, const struct history_open_options *o,
	bool early, struct repository **rp, struct err *e)
{
	bool guess = true;
	int r = try_open(repo, o, early, &guess, rp, e);

	/* what was kept of it may be of another time or repository */
	if (r && guess && !o->offline) {
		guess = false;
		r = try_open(repo, o, early, &guess, rp, e);
	}
	return r;
}

int
repository_open(const char *repo, const struct history_open_options *o,
	struct repository **rp, struct err *e)
{
	return open_repository(repo, o, false, rp, e);
}

int
repository_open_early(const char *repo, const struct history_open_options *o,
	struct repository **rp, struct err *e)
{
	return open_repository(repo, o, true, rp, e);
}

void
repository_free(struct repository *rp)
{
	if (!rp)
		return;
	early_free(rp->early);
	keyring_free(rp->keys);
	if (rp->store)
		store_free(rp->store);
	free(rp);
}

static int
check_header(const struct repository *rp, const uint8_t *data, size_t len,
	enum object_type type, const uint8_t *id, struct object_header *h,
	struct err *e)
{
	int r;

	if (len < OBJECT_HEADER_LEN)
		return err_set(e, EBADMSG, "cut off");
	r = object_header_decode(data, h, e);
	if (r)
		return r;
	if (h->type != type || (id && memcmp(h->id, id, OBJECT_ID_LEN)) ||
		memcmp(h->repository_id, rp->header.id, REPOSITORY_ID_LEN))
		return err_set(e, EBADMSG, "not the object its name says");
	return 0;
}

/* Unseal all frames behind the header and join their plaintexts. */
static int
join_frames(const struct object_key *key, uint8_t *data, size_t len, size_t max,
	struct buf *out, struct err *e)
{
	size_t off = OBJECT_HEADER_LEN;

	while (off < len) {
		auto_free uint8_t *plain = NULL;
		struct frame_prefix p;
		int r;

		if (len - off < FRAME_OVERHEAD)
			return err_set(e, EBADMSG, "cut off");
		r = frame_prefix_decode(data + off, &p, e);
		if (r)
			return r;
		if (p.body_len > len - off - FRAME_PREFIX_LEN ||
			p.plain_len > max - out->len)
			return err_set(e, EBADMSG, "cut off or too long");
		r = frame_unseal(key, off, data + off,
			FRAME_PREFIX_LEN + p.body_len, &p, &plain, e);
		if (r)
			return r;
		buf_append(out, plain, p.plain_len);
		off += FRAME_PREFIX_LEN + p.body_len;
	}
	return 0;
}

int
repository_unseal(struct repository *rp, uint8_t *data, size_t n,
	enum object_type type, const uint8_t id[OBJECT_ID_LEN], size_t max,
	uint8_t **plain, size_t *len, struct err *e)
{
	auto_buf struct buf out = BUF_INIT;
	struct object_header h;
	struct object_key key;
	int r = check_header(rp, data, n, type, id, &h, e);

	if (!r) {
		object_key_init(&key, rp->keys, type, h.id);
		r = join_frames(&key, data, n, max, &out, e);
	}
	if (r)
		return r;
	buf_reserve(&out, 1);
	*plain = buf_steal(&out, len);
	return 0;
}

int
repository_load(struct repository *rp, const char *name, enum object_type type,
	const uint8_t id[OBJECT_ID_LEN], size_t max, uint8_t **plain,
	size_t *len, uint8_t hash[HASH_LEN], struct err *e)
{
	for (bool again = false;; again = true) {
		auto_free uint8_t *data = NULL;
		size_t n;
		int r = 0;

		data = early_take(rp->early, name, &n);
		if (!data)
			r = store_get_all(rp->store, name, max + (1u << 20),
				&data, &n, e);
		if (r)
			return r;
		if (hash)
			sha256(data, n, hash);
		r = repository_unseal(rp, data, n, type, id, max, plain, len, e);
		if (!r)
			return 0;
		/* once more, if it may have been a cache's fault */
		if (again || !store_forget(rp->store, name, 0, n))
			return err_prefix(e, "%s", name);
	}
}
