/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run: list what there is, go through the databases, and at the end let the
 * records go that others have taken the place of.
 */
#include "repo/upkeep/thin.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/base/state_dir.h"
#include "repo/native/roster.h"
#include "repo/upkeep/thin_private.h"
#include "repo/upkeep/trash.h"
#include "repo/write/catalogs.h"
#include "repo/write/run.h"

#define MEMORY_FRAMES (64u << 20)
#define MEMORY_PAGES (8u << 20)

/* Records of one source, or of one seq of it, in the order of epochs. */
struct group {
	const struct loaded_record **r;
	size_t n;
};

/* -- What there is ----------------------------------------------------------- */

static int
list(struct repository *rp, struct inventory *iv, struct err *e)
{
	struct roster ro;
	int r;

	roster_init(&ro, rp);
	r = roster_take(&ro, NULL, iv, e);
	if (!r && !iv->whole)
		r = roster_complete(&ro, NULL, iv, e);
	roster_release(&ro);
	for (size_t i = 0; i < iv->n && !r; i++) {
		if (iv->r[i].state == RECORD_FAILED)
			r = err_set(e, EIO, "%s cannot be read now: nothing is "
				"decided without it", iv->r[i].place->name);
	}
	return r;
}

static uint32_t
epoch_of(const struct loaded_record *r)
{
	return r->state == RECORD_LOADED ? r->record.epoch : 0;
}

static int
compare(const void *a, const void *b)
{
	const struct loaded_record *x = *(void *const *)a;
	const struct loaded_record *y = *(void *const *)b;
	int c = memcmp(x->place->source, y->place->source, SOURCE_KEY_LEN);

	if (!c)
		c = (x->place->seq > y->place->seq) -
		    (x->place->seq < y->place->seq);
	if (!c)
		c = (epoch_of(x) > epoch_of(y)) - (epoch_of(x) < epoch_of(y));
	return c ? c : memcmp(x->place->id, y->place->id, OBJECT_ID_LEN);
}

static struct group
sort(const struct inventory *iv)
{
	struct group g = { .r = xcalloc(iv->n + 1, sizeof(*g.r)) };

	for (size_t i = 0; i < iv->n; i++) {
		if (iv->r[i].state != RECORD_GONE)
			g.r[g.n++] = &iv->r[i];
	}
	qsort(g.r, g.n, sizeof(*g.r), compare);
	return g;
}

/* Take those off that begin like the first: of its source, or of its seq. */
static struct group
take(struct group *g, bool seq)
{
	struct group head = { .r = g->r };

	while (head.n < g->n &&
		!memcmp(g->r[0]->place->source, g->r[head.n]->place->source,
			SOURCE_KEY_LEN) &&
		(!seq || g->r[0]->place->seq == g->r[head.n]->place->seq))
		head.n++;
	g->r += head.n;
	g->n -= head.n;
	return head;
}

/* Whether it is a database's, and asked for. */
static bool
is_wanted(const struct thin_options *o, const struct group *source)
{
	for (size_t i = 0; i < source->n; i++) {
		const struct record *r = &source->r[i]->record;

		if (source->r[i]->state != RECORD_LOADED || !r->is_database)
			continue;
		return !o->wants || o->wants(o->ctx, r->host, r->name);
	}
	return false;
}

/* -- Epochs ------------------------------------------------------------------ */

struct looking {
	uint64_t seq;
	uint32_t epoch; /* the highest there is of it */
};

static bool
note_folder(void *ctx, const struct store_object *o)
{
	struct looking *l = ctx;
	char name[STORE_NAME_MAX + 16];
	struct delta_place p;

	snprintf(name, sizeof(name), "%s999999999998", o->name);
	if (delta_name_parse(name, &p) && p.base_seq == l->seq &&
		p.epoch > l->epoch)
		l->epoch = p.epoch;
	return true;
}

/* The next epoch is one that nobody has begun, not even who died over it. */
static int
next_epoch(struct stretch *s, uint32_t *epoch, struct err *e)
{
	struct looking l = { .seq = s->at->place->seq,
		.epoch = epoch_of(s->at) };
	char prefix[OBJECT_NAME_MAX], hex[SOURCE_KEY_LEN * 2 + 1];
	int r;

	snprintf(prefix, sizeof(prefix), "db/%s/",
		hex_encode(hex, s->at->place->source, SOURCE_KEY_LEN));
	r = store_list_folder(
		s->t->w->rp->store, prefix, note_folder, &l, e);
	if (!r && l.epoch >= DELTA_EPOCH_MAX)
		r = err_set(e, EOVERFLOW, "snapshot %s has been thinned as often "
			"as it can be", s->at->place->name);
	*epoch = l.epoch + 1;
	return r;
}

/* -- Stretches --------------------------------------------------------------- */

static void
retire(struct thinning *t, const struct loaded_record *r)
{
	struct trash_item *x;

	if (t->n_retired == t->cap_retired) {
		t->cap_retired = t->cap_retired ? 2 * t->cap_retired : 16;
		t->retired = xrealloc(
			t->retired, t->cap_retired * sizeof(*t->retired));
	}
	x = &t->retired[t->n_retired++];
	x->place = *r->place;
	memcpy(x->hash, r->hash, HASH_LEN);
}

static void
tell(struct stretch *s)
{
	const struct thin_options *o = s->t->o;
	struct thin_result *sum = s->t->result;

	if (s->told.fate == THIN_ANEW) {
		sum->anew++;
		sum->points += s->told.points;
		sum->kept += s->told.kept;
		sum->bytes += s->told.bytes;
		sum->new_bytes += s->told.new_bytes;
	}
	sum->failed += s->told.fate == THIN_FAILED;
	if (o->told)
		o->told(o->ctx, &s->told);
}

/* What is wrong with one stretch need not be with the others. */
static bool
is_of_all(int r)
{
	return r == -ECANCELED || r == -EEXIST || r == -ENOSPC ||
	       r == -EACCES || r == -EROFS;
}

static int
thin_one(struct thinning *t, const struct loaded_record *at, int64_t now_ns,
	struct err *e)
{
	auto_stretch struct stretch s = { .t = t, .at = at, .now_ns = now_ns };
	struct err mine = ERR_INIT;
	uint32_t epoch;
	int r = stretch_open(&s, &mine);

	if (!r && s.told.fate == THIN_ANEW && !t->o->dry_run) {
		r = next_epoch(&s, &epoch, &mine);
		if (!r)
			r = stretch_write(&s, epoch, &mine);
		if (!r)
			retire(t, at);
	}
	if (is_of_all(r)) {
		*e = mine;
		return r;
	}
	if (r) {
		s.told.base = &at->record;
		s.told.fate = THIN_FAILED;
		s.told.why = &mine;
	}
	tell(&s);
	return 0;
}

/* A stretch that nothing is asked about. */
static void
tell_only(struct thinning *t, const struct loaded_record *at,
	enum thin_fate fate)
{
	struct stretch s = { .t = t, .at = at,
		.told = { .base = &at->record, .fate = fate } };

	tell(&s);
}

/* Those of one seq: the highest epoch counts, the rest has only not gone yet. */
static int
thin_seq(struct thinning *t, const struct group *seq, bool newest,
	int64_t now_ns, struct err *e)
{
	const struct loaded_record *top = seq->r[seq->n - 1];
	uint32_t epoch = epoch_of(top);
	size_t lower = 0;

	while (epoch_of(seq->r[lower]) < epoch)
		lower++;
	for (size_t i = 0; i < lower && !t->o->dry_run; i++) {
		if (seq->r[i]->state == RECORD_LOADED)
			retire(t, seq->r[i]);
	}
	if (top->state != RECORD_LOADED || !top->record.is_database)
		return 0;
	if (newest || lower + 1 < seq->n) {
		tell_only(t, top, newest ? THIN_OPEN : THIN_RACED);
		return 0;
	}
	return thin_one(t, top, now_ns, e);
}

/* -- Sources ----------------------------------------------------------------- */

/* The newest point of a source, should that be older than now.  Where it
 * cannot be had, the newest snapshot: so nothing is taken for older than it
 * is. */
static int64_t
time_of(struct thinning *t, const struct loaded_record *newest)
{
	int64_t now_ns = t->o->now_ns ? t->o->now_ns : clock_wall_ns();
	struct stretch s = { .t = t, .at = newest };
	int64_t last_ns;

	if (newest->state != RECORD_LOADED || !newest->record.is_database)
		return now_ns;
	last_ns = newest->record.time_ns;
	if (stretch_newest(&s, NULL) == 0 && s.newest)
		last_ns = s.newest->record.time_ns;
	stretch_release(&s);
	return last_ns < now_ns ? last_ns : now_ns;
}

static int
thin_source(struct thinning *t, struct group source, struct err *e)
{
	const struct loaded_record *last = source.r[source.n - 1];
	int64_t now_ns;
	int r = 0;

	if (!is_wanted(t->o, &source))
		return 0;
	now_ns = time_of(t, last);
	while (source.n && !r) {
		struct group seq = take(&source, true);

		r = thin_seq(t, &seq, source.n == 0, now_ns, e);
	}
	return r;
}

/* -- One run ----------------------------------------------------------------- */

/* Hashes of pages lie in one place for each user and repository: so whoever was
 * killed leaves nothing that grows. */
static int
lock_scratch(struct thinning *t, struct err *e)
{
	auto_free char *below = xasprintf("%s/thin/", t->w->rp->id_text);

	t->scratch = state_dir(below);
	if (!*t->scratch)
		return err_set(e, ENOENT, "there is no place for hashes of "
			"pages: neither HOME nor XDG_STATE_HOME is set");
	state_dir_make(t->scratch);
	t->lock = open(t->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->lock < 0)
		return err_sys(e, errno, "%s", t->scratch);
	if (flock(t->lock, LOCK_EX | LOCK_NB))
		return err_set(e, EBUSY, "this repository is being thinned by "
			"another process");
	return 0;
}

static int
begin(struct thinning *t, struct err *e)
{
	const struct fetch_options fo = { .memory = MEMORY_FRAMES };
	struct writer *w = t->w;

	t->fetch = fetch_new(w->rp->store, w->rp->keys, &fo);
	fetch_set_locator(t->fetch, index_locate, w->index);
	t->deltas = deltas_new(w->rp, t->fetch);
	t->pages = page_cache_new(t->fetch, MEMORY_PAGES);
	return t->o->dry_run ? 0 : lock_scratch(t, e);
}

static void
end(struct thinning *t)
{
	page_cache_free(t->pages);
	fetch_free(t->fetch);
	deltas_free(t->deltas);
	if (t->lock >= 0)
		close(t->lock);
	free(t->scratch);
	free(t->retired);
}

/* Also of what was written before something went wrong. */
static int
let_go(struct thinning *t, struct err *e)
{
	struct upkeep u = { .rp = t->w->rp, .sink = t->w->sink };
	int r = 0;

	if (t->n_retired)
		r = trash_put(&u, t->retired, t->n_retired, e);
	if (t->n_retired && !r)
		r = catalogs_settle(u.rp, u.sink, e);
	return r;
}

int
thin_run(struct writer *w, const struct thin_options *o,
	struct thin_result *result, struct err *e)
{
	struct thinning t = { .w = w, .o = o, .result = result, .lock = -1 };
	auto_inventory struct inventory iv = { .n = 0 };
	struct err late = ERR_INIT;
	struct group all = { .n = 0 }, left;
	int r = begin(&t, e), r_late;

	memset(result, 0, sizeof(*result));
	if (!r)
		r = list(w->rp, &iv, e);
	if (!r)
		all = sort(&iv);
	left = all;
	while (!r && left.n)
		r = thin_source(&t, take(&left, false), e);
	r_late = let_go(&t, &late);
	if (!r && r_late) {
		*e = late;
		r = r_late;
	}
	free(all.r);
	end(&t);
	return r;
}
