/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/write/stash_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/log.h"
#include "repo/base/state_dir.h"
#include "repo/crypto/slot.h"
#include "repo/format/header.h"
#include "repo/native/state.h"
#include "repo/fetch/together.h"

#define SLOTS "keys/"
#define SLOTS_MAX 64

struct stash_before {
	struct store store;
	struct store *inner;
	struct stash *k;
};

static struct stash_before *
before_of(struct store *s)
{
	return (struct stash_before *)s;
}

/* -- What has been seen ----------------------------------------------------- */

static bool
is_small(const char *name)
{
	return strcmp(name, "format") == 0 ||
	       strncmp(name, SLOTS, strlen(SLOTS)) == 0;
}

static void
see(struct stash *k, const char *name, const void *data, size_t len)
{
	auto_lock(&k->lock);
	struct stash_object *o;

	if (k->n_seen == SLOTS_MAX)
		return;
	k->seen = xrealloc(k->seen, (k->n_seen + 1) * sizeof(*k->seen));
	o = &k->seen[k->n_seen++];
	snprintf(o->name, sizeof(o->name), "%s", name);
	o->data = xmemdup(data, len);
	o->len = len;
}

static const struct stash_object *
seen(const struct stash *k, const char *name)
{
	for (size_t i = k->n_seen; i-- > 0;) {
		if (strcmp(k->seen[i].name, name) == 0)
			return &k->seen[i];
	}
	return NULL;
}

static bool
get_seen(struct stash *k, const char *name, uint64_t off, size_t len, void *buf,
	size_t *got)
{
	auto_lock(&k->lock);
	const struct stash_object *o = seen(k, name);

	if (!o)
		return false;
	*got = off < o->len ? o->len - (size_t)off : 0;
	*got = *got < len ? *got : len;
	if (*got)
		memcpy(buf, o->data + off, *got);
	return true;
}

/* -- Reading ----------------------------------------------------------------- */

/* What is denied does not lie here either: say what would help. */
static int
absent(const struct stash *k, const struct store *s, const char *name,
	struct err *e)
{
	return err_set(e, EACCES,
		"%s: access is denied, and %s is not kept %s%s; one backup "
		"with a key that also reads brings what a key that only writes "
		"needs",
		s->name, name, k->dir[0] ? "in " : "on this machine", k->dir);
}

static int
get_stash(const struct stash *k, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, size_t enough)
{
	auto_free char *path = NULL;
	bool ends;

	if (strncmp(name, "meta/", 5) == 0 &&
		stash_page(k, name, off, len, buf, got, enough) == 0)
		return 0;
	path = stash_path(k, name);
	ends = path && strstr(path, "/ends/");
	return path ? stash_read(path, ends, off, len, buf, got, enough)
		    : -ENOENT;
}

/* What lies here is as good as what the store would send. */
static bool
is_stash_first(const struct stash *k, const char *name)
{
	return atomic_load(&k->get_denied) || strncmp(name, "idx/", 4) == 0 ||
	       strncmp(name, "snap/", 5) == 0 ||
	       strncmp(name, "meta/", 5) == 0 ||
	       strncmp(name, "data/", 5) == 0;
}

/* What came of the store: keep what will be wanted. */
static void
keep(struct stash *k, const char *name, uint64_t off, size_t len,
	const void *buf, size_t got)
{
	const char *base = strrchr(name, '/');
	auto_free char *path = NULL;

	if (is_small(name) && off == 0 && got < len)
		see(k, name, buf, got);
	if (k->source && base && strncmp(name, "meta/", 5) == 0) {
		path = xasprintf("%s/pages/%s", k->source, base + 1);
		(void)stash_patch(path, off, buf, got);
	}
}

static int
before_get(struct store *s, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, const struct store_call *call, struct err *e)
{
	struct stash_before *b = before_of(s);
	struct stash *k = b->k;
	size_t n = 0, enough = call ? call->enough : 0;
	int r = -ENOENT;

	if (is_small(name) && get_seen(k, name, off, len, buf, &n))
		r = 0;
	if (r && is_stash_first(k, name))
		r = get_stash(k, name, off, len, buf, &n, enough);
	if (r && !atomic_load(&k->get_denied)) {
		r = store_get_call(
			b->inner, name, off, len, buf, &n, call, e);
		if (r == 0)
			keep(k, name, off, len, buf, n);
		if (r == -EACCES && strcmp(name, "format") == 0)
			atomic_store(&k->get_denied, true);
		if (r != -EACCES && r != 0)
			return r;
		if (r && get_stash(k, name, off, len, buf, &n, enough))
			return absent(k, s, name, e);
	} else if (r) {
		return absent(k, s, name, e);
	}
	if (got)
		*got = n;
	else if (n < len)
		return err_set(e, EBADMSG, "%s is cut off: %zu of %zu bytes",
			name, n, len);
	return 0;
}

static int
before_size(struct store *s, const char *name, uint64_t *size, struct err *e)
{
	struct stash_before *b = before_of(s);
	auto_free char *path = stash_path(b->k, name);
	bool denied = atomic_load(&b->k->get_denied);
	struct stat st;

	/* of a pack it is asked to see whether it is there */
	if (path && (denied || strncmp(name, "idx/", 4) == 0) &&
		stat(path, &st) == 0) {
		*size = (uint64_t)st.st_size;
		return 0;
	}
	if (denied)
		return absent(b->k, s, name, e);
	return store_size(b->inner, name, size, e);
}

static void
before_forget(struct store *s, const char *name, uint64_t off, uint64_t len)
{
	struct stash_before *b = before_of(s);
	const char *base = strrchr(name, '/');
	auto_free char *path = stash_path(b->k, name);
	auto_free char *page = NULL;

	store_forget(b->inner, name, off, len);
	if (b->k->source && base && strncmp(name, "meta/", 5) == 0) {
		page = xasprintf("%s/pages/%s", b->k->source, base + 1);
		unlink(page);
	}
	if (path && !is_small(name))
		unlink(path);
}

/* -- Listing ------------------------------------------------------------------ */

struct slot_listing {
	struct stash *k;
	bool (*each)(void *ctx, const char *name, uint64_t size);
	void *ctx;
};

static bool
note_slot(void *ctx, const char *name, uint64_t size)
{
	struct slot_listing *l = ctx;
	struct stash *k = l->k;

	if (k->n_slots < SLOTS_MAX) {
		k->slots = xrealloc(
			k->slots, (k->n_slots + 1) * sizeof(*k->slots));
		snprintf(k->slots[k->n_slots++], sizeof(*k->slots), "%s", name);
	}
	return !l->each || l->each(l->ctx, name, size);
}

static void
list_slots_seen(struct stash *k,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx)
{
	for (size_t i = 0; i < k->n_slots; i++) {
		if (!each(ctx, k->slots[i], 0))
			break;
	}
}

/* Packs are listed to find those that no segment names. */
static bool
is_tended(const struct stash *k, const char *prefix)
{
	auto_free char *path = NULL;

	if (!k->source ||
		(strcmp(prefix, "data/") != 0 && strcmp(prefix, "meta/") != 0))
		return false;
	path = xasprintf("%s/tended", k->source);
	return access(path, F_OK) == 0;
}

static int
before_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	struct stash_before *b = before_of(s);
	struct stash *k = b->k;
	int r;

	if (k->slots_listed && strcmp(prefix, SLOTS) == 0) {
		list_slots_seen(k, each, ctx);
		return 0;
	}
	if (stash_is_blind(k) || is_tended(k, prefix))
		return k->dir[0] ? stash_list(k, prefix, after, each, ctx)
				 : absent(k, s, prefix, e);
	r = store_list(b->inner, prefix, after, each, ctx, e);
	if (r != -EACCES)
		return r;
	atomic_store(&k->list_denied, true);
	return k->dir[0] ? stash_list(k, prefix, after, each, ctx)
			 : absent(k, s, prefix, e);
}

static int
before_list_few(struct store *s, const char *prefix,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	struct stash_before *b = before_of(s);
	struct stash *k = b->k;
	int r = -EACCES;

	if (!stash_is_blind(k) && !is_tended(k, prefix))
		r = store_list_few(b->inner, prefix, each, ctx, e);
	return r == -EACCES ? before_list(s, prefix, "", each, ctx, e) : r;
}

/* What only prune and who asks for states of it want. */
static int
before_list_objects(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	struct stash_before *b = before_of(s);

	if (stash_is_blind(b->k))
		return absent(b->k, s, q->prefix, e);
	return q->folder
		       ? store_list_folder(b->inner, q->prefix, each, ctx, e)
		       : store_list_objects(b->inner, q->prefix, q->after,
				 each, ctx, e);
}

/* -- The store ------------------------------------------------------------------ */

static void
before_stats(struct store *s, struct store_stats *st)
{
	store_stats(before_of(s)->inner, st);
}

static void
before_free(struct store *s)
{
	struct stash_before *b = before_of(s);

	store_free(b->inner);
	free(b->store.name);
	free(b);
}

static const struct store_ops before_ops = {
	.get = before_get,
	.size = before_size,
	.list = before_list,
	.list_few = before_list_few,
	.list_objects = before_list_objects,
	.forget = before_forget,
	.stats = before_stats,
	.free = before_free,
};

struct store *
stash_store(struct stash *k, struct store *inner)
{
	struct stash_before *b = xcalloc(1, sizeof(*b));

	b->store.ops = &before_ops;
	b->store.name = xstrdup(inner->name);
	b->inner = inner;
	b->k = k;
	return &b->store;
}

/* -- Beginning -------------------------------------------------------------------- */

static void
set_dir(struct stash *k, const char *id)
{
	auto_free char *below = xasprintf("%s/stash/%s", id, k->address);

	free(k->dir);
	k->dir = state_dir(below);
}

struct stash *
stash_new(const struct store *s)
{
	struct stash *k = xcalloc(1, sizeof(*k));
	char id[REPOSITORY_ID_LEN * 2 + 1];

	pthread_mutex_init(&k->lock, NULL);
	state_address(s, k->address);
	if (state_last_id(s, id) == 0)
		set_dir(k, id);
	else
		k->dir = xstrdup("");
	return k;
}

void
stash_free(struct stash *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n_seen; i++)
		free(k->seen[i].data);
	free(k->seen);
	free(k->slots);
	free(k->source);
	free(k->dir);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

struct probe {
	struct stash *k;
	struct store *s;
};

static void
probe(void *ctx, size_t i)
{
	struct probe *p = ctx;
	struct slot_listing l = { .k = p->k };
	auto_free uint8_t *text = NULL;
	struct err e = ERR_INIT;
	size_t len;
	int r;

	/* what fails is asked for again by who wants it */
	if (i == 0) {
		r = store_get_all(p->s, "format", HEADER_LEN_MAX, &text, &len,
			&e);
		return;
	}
	r = store_list(before_of(p->s)->inner, SLOTS, "", note_slot, &l, &e);
	p->k->slots_listed = r == 0;
	if (r)
		p->k->n_slots = 0;
	if (r == -EACCES)
		atomic_store(&p->k->list_denied, true);
}

void
stash_probe(struct stash *k, struct store *s)
{
	struct probe p = { .k = k, .s = s };

	together_run(2, true, probe, &p);
	if (!stash_is_blind(k))
		return;
	/* names of slots that cannot be read help nobody */
	k->slots_listed = false;
	log_info("%s: this key %s; going by what is kept in %s", s->name,
		atomic_load(&k->get_denied) ? "may not read" : "may not list",
		k->dir[0] ? k->dir : "no place");
}

bool
stash_is_blind(const struct stash *k)
{
	return atomic_load(&k->get_denied) || atomic_load(&k->list_denied);
}

/* -- Header and key slots ------------------------------------------------------------ */

static void
keep_small(const struct stash *k, const char *name, const void *data, size_t len)
{
	auto_free char *path = stash_path(k, name);
	auto_free uint8_t *old = xmalloc(len + 1);
	size_t got = 0;

	if (path && (stash_read(path, false, 0, len + 1, old, &got, 0) ||
			    got != len || memcmp(old, data, len)))
		(void)stash_replace(path, data, len);
}

static void
keep_slot(struct stash *k, struct store *s, const char *name)
{
	auto_free uint8_t *data = NULL;
	size_t len;

	if (store_get_all(s, name, SLOT_MAX, &data, &len, NULL) == 0)
		keep_small(k, name, data, len);
}

static bool
is_listed(const struct stash *k, const char *name)
{
	for (size_t i = 0; i < k->n_slots; i++) {
		if (strcmp(k->slots[i], name) == 0)
			return true;
	}
	return false;
}

static bool
drop_slot(void *ctx, const char *name, uint64_t size)
{
	const struct stash *k = ctx;
	auto_free char *path = stash_path(k, name);

	(void)size;
	if (!is_listed(k, name))
		unlink(path);
	return true;
}

void
stash_know(struct stash *k, struct repository *rp)
{
	const struct stash_object *header = seen(k, "format");

	set_dir(k, rp->id_text);
	if (stash_is_blind(k) || !header || !k->slots_listed || !k->dir[0])
		return;
	keep_small(k, "format", header->data, header->len);
	for (size_t i = 0; i < k->n_slots; i++)
		keep_slot(k, rp->store, k->slots[i]);
	(void)stash_list(k, SLOTS, "", drop_slot, k);
}

void
stash_slots(struct repository *rp)
{
	struct stash k = { .dir = NULL };
	struct slot_listing l = { .k = &k };
	auto_free char *header = NULL;

	state_address(rp->store, k.address);
	set_dir(&k, rp->id_text);
	header = stash_path(&k, "format");
	if (!rp->store->local_path && header && access(header, F_OK) == 0 &&
		store_list(rp->store, SLOTS, "", note_slot, &l, NULL) == 0) {
		for (size_t i = 0; i < k.n_slots; i++)
			keep_slot(&k, rp->store, k.slots[i]);
		(void)stash_list(&k, SLOTS, "", drop_slot, &k);
	}
	free(k.slots);
	free(k.dir);
}

void
stash_made(const struct repository *rp, const struct buf *header,
	const char *slot_name, const struct buf *slot)
{
	struct stash k = { .dir = NULL };
	auto_free char *new = NULL;

	state_address(rp->store, k.address);
	set_dir(&k, rp->id_text);
	if (k.dir[0]) {
		keep_small(&k, "format", header->data, header->len);
		keep_small(&k, slot_name, slot->data, slot->len);
		new = xasprintf("%s/new", k.dir);
		(void)stash_replace(new, "", 0);
	}
	free(k.dir);
}

/* -- Sources ---------------------------------------------------------------------------- */

int
stash_first(const struct stash *k, const char *host, const char *name,
	struct err *e)
{
	auto_free char *new = xasprintf("%s/new", k->dir);

	if (access(new, F_OK) == 0)
		return 0;
	return err_set(e, EACCES,
		"%s/%s has not been backed up from here before, and this key "
		"cannot see whether it has snapshots: make one backup of it "
		"with a key that also reads",
		host, name);
}

bool
stash_is_marked(const struct stash *k)
{
	auto_free char *path = xasprintf("%s/marked", k->source);

	return access(path, F_OK) == 0;
}

void
stash_mark(const struct stash *k)
{
	auto_free char *path = xasprintf("%s/marked", k->source);

	(void)stash_replace(path, "", 0);
}
