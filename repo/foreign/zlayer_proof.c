/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/zlayer_proof.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/bytes.h"
#include "repo/foreign/integrity.h"
#include "repo/foreign/zlayer_database.h"
#include "repo/sqlite/header.h"

#define CHANGES_AT 24 /* the change counter, in page 1 */

enum { NOT_KNOWN, NO, YES };

struct snapshot {
	int sound, covered, behind;
	struct err why; /* not sound */
	int base_known;
	size_t base;		     /* a log, or ZLAYER_NONE */
	struct sqlite_header header; /* once it is sound */
};

struct wal {
	int head_known; /* NO: it is none, or empty */
	struct wal_header head;
	int joins_known;
	size_t joins;
};

struct zlayer_proof {
	pthread_mutex_t lock; /* held while something is found out */
	struct snapshot *snapshots;
	struct wal *wals;
};

struct zlayer_proof *
zlayer_proof_new(struct zlayer_roll *r)
{
	struct zlayer_proof *p = xcalloc(1, sizeof(*p));
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&p->lock, &a);
	pthread_mutexattr_destroy(&a);
	p->snapshots = xcalloc(r->n_snapshots + 1, sizeof(*p->snapshots));
	p->wals = xcalloc(r->n_wals + 1, sizeof(*p->wals));
	return p;
}

void
zlayer_proof_free(struct zlayer_proof *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p->snapshots);
	free(p->wals);
	free(p);
}

/* Whether a failure says something of the object, and not of the store. */
static bool
is_of_object(int r)
{
	return r == -EBADMSG || r == -EUCLEAN;
}

/* -- Snapshots ---------------------------------------------------------------
 */

static char *
verdict_name(const struct zlayer_replica *z, size_t i)
{
	const struct zlayer_object *o = &z->roll->snapshots[i].o;
	auto_free char *name = zlayer_roll_snapshot_name(z->roll, i);

	return xasprintf("zlayer-sound-%s-%lu-%ld", name,
		(unsigned long)o->size, (long)o->modified_ns);
}

/* As it lies there: no log over it. */
static int
check(const struct zlayer_replica *z, size_t i, struct sqlite_header *h,
	struct err *e)
{
	uint8_t head[SQLITE_HEADER_LEN];
	struct database *d;
	int r = zlayer_database_new(z, i, ZLAYER_NONE, "", &d, e);

	if (r)
		return r;
	if (d->size < sizeof(head))
		r = err_set(e, EUCLEAN, "too short for a database");
	if (!r)
		r = zlayer_database_read(d, 0, sizeof(head), head, e);
	if (!r)
		r = sqlite_header_decode(head, h, e);
	if (!r && (uint64_t)h->pages * h->page_size != d->size)
		r = err_set(e, EUCLEAN,
			"%lu bytes long, but %u pages of %u by its header",
			(unsigned long)d->size, h->pages, h->page_size);
	if (!r)
		r = integrity_check(d, e);
	d->ops->free(d);
	return r;
}

static int
find_out_sound(const struct zlayer_replica *z, size_t i, struct err *e)
{
	struct snapshot *s = &z->roll->proof->snapshots[i];
	auto_free char *name = verdict_name(z, i);
	auto_free uint8_t *kept = NULL;
	size_t len = 0;
	int r;

	if (kept_get(z->kept, name, sizeof(s->header), &kept, &len) == 0 &&
		len == sizeof(s->header)) {
		memcpy(&s->header, kept, len);
		s->sound = YES;
		return 0;
	}
	r = check(z, i, &s->header, e);
	if (r && !is_of_object(r))
		return r;
	s->sound = r ? NO : YES;
	if (!r)
		kept_put(z->kept, name, &s->header, sizeof(s->header));
	else if (e)
		s->why = *e;
	return r;
}

int
zlayer_proof_sound(const struct zlayer_replica *z, size_t i, struct err *e)
{
	struct snapshot *s = &z->roll->proof->snapshots[i];
	struct err why = ERR_INIT;
	auto_free char *name = zlayer_roll_snapshot_name(z->roll, i);
	auto_lock(&z->roll->proof->lock);
	int r = 0;

	if (s->sound == NOT_KNOWN)
		r = find_out_sound(z, i, &why);
	if (s->sound == NO)
		return err_set(e, s->why.code, "%s is no sound database: %s",
			name, s->why.text);
	return r ? err_set(e, -r, "%s", why.text) : 0;
}

/* -- Heads of logs, and the base of a snapshot --------------------------------
 */

/* What is kept of a log: that it is none, or its header. */
struct head {
	int known;
	struct wal_header header;
};

static bool
take_head(const struct zlayer_replica *z, const char *kept, struct wal *x)
{
	auto_free uint8_t *data = NULL;
	struct head h;
	size_t len;

	if (kept_get(z->kept, kept, sizeof(h), &data, &len) < 0 ||
		len != sizeof(h))
		return false;
	memcpy(&h, data, sizeof(h));
	x->head = h.header;
	x->head_known = h.known;
	return true;
}

static void
keep_head(const struct zlayer_replica *z, const char *kept, const struct wal *x)
{
	struct head h;

	memset(&h, 0, sizeof(h));
	h.known = x->head_known;
	h.header = x->head;
	kept_put(z->kept, kept, &h, sizeof(h));
}

static int
find_head(const struct zlayer_replica *z, size_t w, struct err *e)
{
	struct wal *x = &z->roll->proof->wals[w];
	const struct zlayer_object *o = &z->roll->wals[w].o;
	auto_free char *name = zlayer_roll_wal_name(z->roll, w);
	auto_free char *kept = xasprintf("zlayer-head-%s-%lu-%ld", name,
		(unsigned long)o->size, (long)o->modified_ns);
	auto_zlayer_log struct zlayer_log log = ZLAYER_LOG_INIT;
	struct unpacked_source src;
	int r = 0;

	if (x->head_known || take_head(z, kept, x))
		return 0;
	zlayer_roll_source(&src, z->store, z->kept, name, o);
	r = zlayer_log_head(&src, &log, e);
	if (r && !is_of_object(r))
		return r;
	x->head_known = r || log.empty ? NO : YES;
	x->head = log.header;
	keep_head(z, kept, x);
	return 0;
}

static bool
same_log(const struct wal_header *a, const struct wal_header *b)
{
	return a->checkpoint_seq == b->checkpoint_seq &&
	       a->salt[0] == b->salt[0] && a->salt[1] == b->salt[1];
}

/* Of the logs not later than the snapshot that are not empty the youngest; of
 * those of one second, which must be of one log, the longest. */
static int
find_base(const struct zlayer_replica *z, size_t i, struct err *e)
{
	const struct zlayer_roll *r = z->roll;
	struct snapshot *s = &r->proof->snapshots[i];
	int64_t second = zlayer_roll_second(&r->snapshots[i].o);
	size_t base = ZLAYER_NONE;
	bool one = true;

	if (s->base_known)
		return 0;
	for (size_t w = r->n_wals; w-- > 0;) {
		const struct zlayer_wal *x = &r->wals[w];
		int64_t at = zlayer_roll_second(&x->o);

		if (at > second)
			continue;
		if (base != ZLAYER_NONE &&
			at != zlayer_roll_second(&r->wals[base].o))
			break;
		int rc = find_head(z, w, e);

		if (rc)
			return rc;
		if (r->proof->wals[w].head_known != YES)
			continue;
		if (base != ZLAYER_NONE)
			one = one && same_log(&r->proof->wals[w].head,
					     &r->proof->wals[base].head);
		if (base == ZLAYER_NONE || x->number > r->wals[base].number)
			base = w;
	}
	s->base = one ? base : ZLAYER_NONE;
	s->base_known = YES;
	return 0;
}

/* -- Rule 3 ------------------------------------------------------------------
 */

/* Compare every page of a log with the snapshot's. */
static int
compare(const struct zlayer_replica *z, const struct unpacked_source *src,
	const struct zlayer_log *log, struct database *snapshot, bool *same,
	struct err *e)
{
	uint32_t len = log->header.page_size;
	auto_free uint8_t *a = xmalloc(len), *b = xmalloc(len);

	(void)z;
	*same = log->commit_pages == 0 ||
		snapshot->size == (uint64_t)log->commit_pages * len;
	for (size_t i = 0; *same && i < log->n_pages; i++) {
		uint64_t at = (uint64_t)(log->pages[i].pgno - 1) * len;
		int r = unpacked_get(src, log->pages[i].off, len, a, e);

		if (!r)
			r = zlayer_database_read(snapshot, at, len, b, e);
		if (r)
			return r;
		*same = memcmp(a, b, len) == 0;
	}
	return 0;
}

static int
find_out_covered(const struct zlayer_replica *z, size_t i, struct err *e)
{
	struct snapshot *s = &z->roll->proof->snapshots[i];
	auto_free char *name = zlayer_roll_wal_name(z->roll, s->base);
	auto_zlayer_log struct zlayer_log log = ZLAYER_LOG_INIT;
	struct unpacked_source src;
	struct database *d;
	bool same = false;
	int r;

	zlayer_roll_source(
		&src, z->store, z->kept, name, &z->roll->wals[s->base].o);
	r = zlayer_log_load(&src, &log, e);
	if (!r && log.n_frames != z->roll->wals[s->base].number)
		r = err_set(e, EUCLEAN, "%s is another log", name);
	if (!r)
		r = zlayer_database_new(z, i, ZLAYER_NONE, "", &d, e);
	if (!r) {
		r = compare(z, &src, &log, d, &same, e);
		d->ops->free(d);
	}
	if (r && !is_of_object(r))
		return r;
	s->covered = !r && same ? YES : NO;
	return 0;
}

/* Whether the base is in the snapshot; without one there is no proof. */
static int
is_covered(
	const struct zlayer_replica *z, size_t i, bool *covered, struct err *e)
{
	struct snapshot *s = &z->roll->proof->snapshots[i];
	int r = find_base(z, i, e);

	if (!r && s->covered == NOT_KNOWN && s->base == ZLAYER_NONE)
		s->covered = NO;
	if (!r && s->covered == NOT_KNOWN)
		r = find_out_covered(z, i, e);
	*covered = !r && s->covered == YES;
	return r;
}

/* -- Whether a log follows a snapshot
 * ------------------------------------------ */

/* Rules 1 and 2. */
static int
may_follow(const struct zlayer_replica *z, size_t w, size_t i, bool *may,
	struct err *e)
{
	const struct zlayer_proof *p = z->roll->proof;
	const struct snapshot *s = &p->snapshots[i];
	const struct wal_header *h = &p->wals[w].head;
	int r;

	*may = false;
	if (zlayer_roll_second(&z->roll->wals[w].o) <=
		zlayer_roll_second(&z->roll->snapshots[i].o))
		return 0;
	r = find_base(z, i, e);
	if (r || s->base == ZLAYER_NONE)
		return r;
	const struct wal_header *base = &p->wals[s->base].head;

	*may = h->checkpoint_seq == base->checkpoint_seq + 1 &&
	       h->salt[0] == base->salt[0] + 1;
	return 0;
}

/* Rule 4, and that the log can be used at all. */
static int
is_usable(const struct zlayer_replica *z, size_t w, size_t i, bool *usable,
	struct err *e)
{
	const struct sqlite_header *h = &z->roll->proof->snapshots[i].header;
	auto_free char *name = zlayer_roll_wal_name(z->roll, w);
	auto_zlayer_log struct zlayer_log log = ZLAYER_LOG_INIT;
	struct unpacked_source src;
	uint8_t counter[4];
	int r;

	zlayer_roll_source(&src, z->store, z->kept, name, &z->roll->wals[w].o);
	r = zlayer_log_load(&src, &log, e);
	*usable = false;
	if (r || log.commit_pages == 0 ||
		log.header.page_size != h->page_size ||
		log.n_frames != z->roll->wals[w].number)
		return is_of_object(r) ? 0 : r;
	const struct zlayer_page *first = zlayer_log_find(&log, 1);

	*usable = true;
	if (!first)
		return 0;
	r = unpacked_get(&src, first->off + CHANGES_AT, 4, counter, e);
	*usable = !r && get_be32(counter) >= h->changes;
	return r;
}

static int
follows(const struct zlayer_replica *z, size_t w, size_t i, bool *does,
	struct err *e)
{
	int r = may_follow(z, w, i, does, e);

	if (!r && *does)
		r = is_covered(z, i, does, e);
	if (!r && *does) {
		r = zlayer_proof_sound(z, i, e);
		*does = r == 0;
		r = is_of_object(r) ? 0 : r;
	}
	if (!r && *does)
		r = is_usable(z, w, i, does, e);
	return r;
}

int
zlayer_proof_joins(const struct zlayer_replica *z, size_t w, size_t *snapshot,
	struct err *e)
{
	auto_lock(&z->roll->proof->lock);
	struct wal *x = &z->roll->proof->wals[w];
	int r = x->joins_known ? 0 : find_head(z, w, e);
	bool does = false;

	*snapshot = ZLAYER_NONE;
	for (size_t i = z->roll->n_snapshots; !r && !x->joins_known && !does &&
					      x->head_known == YES &&
					      i-- > 0;) {
		r = follows(z, w, i, &does, e);
		if (!r && does)
			*snapshot = i;
	}
	if (r)
		return r;
	if (!x->joins_known) {
		x->joins = *snapshot;
		x->joins_known = YES;
	}
	*snapshot = x->joins;
	return 0;
}

int
zlayer_proof_behind(
	const struct zlayer_replica *z, size_t i, bool *behind, struct err *e)
{
	auto_lock(&z->roll->proof->lock);
	struct snapshot *s = &z->roll->proof->snapshots[i];
	size_t joins = ZLAYER_NONE;
	bool covered = false;
	int r = s->behind ? 0 : find_base(z, i, e);

	if (!r && !s->behind && s->base != ZLAYER_NONE) {
		r = is_covered(z, i, &covered, e);
		if (!r && !covered)
			r = zlayer_proof_joins(z, s->base, &joins, e);
	}
	/* of one that is torn nothing is known */
	if (!r && joins != ZLAYER_NONE) {
		r = zlayer_proof_sound(z, i, e);
		joins = r ? ZLAYER_NONE : joins;
		r = is_of_object(r) ? 0 : r;
	}
	if (r)
		return r;
	if (!s->behind)
		s->behind = joins != ZLAYER_NONE && joins < i ? YES : NO;
	*behind = s->behind == YES;
	return 0;
}
