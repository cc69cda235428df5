/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources that go as a whole.  First it is said where their numbers go on
 * (repo/native/ended.h); then what follows the newest snapshot of a database is
 * closed, so that a replicator finds out at its next delta; then the snapshots
 * go as any others.
 */
#include "repo/upkeep/forget.h"

#include <errno.h>
#include <string.h>
#include "repo/base/log.h"
#include "repo/base/state_dir.h"
#include "repo/native/ended.h"
#include "repo/native/newest.h"
#include "repo/write/delta_writer.h"

#define CLOSE_TRIES 20

/* -- Deciding ----------------------------------------------------------- */

/* Who cannot read would not notice. */
static int
check_mark(const struct forget *f, size_t source, struct err *e)
{
	const struct history_source *s = &f->nl->l.sources[source];
	char name[OBJECT_NAME_MAX];
	struct err why = ERR_INIT;
	uint64_t size;
	int r;

	newest_mark_name(name, f->nl->source_keys[source]);
	r = store_size(f->u->rp->store, name, &size, &why);
	if (r == -ENOENT)
		return 0;
	if (r) {
		*e = why;
		return r;
	}
	return err_set(e, EPERM,
		"%s/%s: is backed up with a key that cannot read, and would not "
		"notice; take that key away, then say --key-withdrawn",
		s->host, s->name);
}

int
forget_all(struct forget *f, size_t source, bool key_withdrawn, struct err *e)
{
	const struct history_source *s = &f->nl->l.sources[source];
	uint32_t end = s->first_point + s->n_points;
	int r = key_withdrawn ? 0 : check_mark(f, source, e);

	for (uint32_t i = s->first_point; i < end && !r; i++) {
		const struct history_point *p = &f->nl->l.points[i];

		if (pinned_has(&f->pinned, f->nl->source_keys[source], p->seq))
			r = err_set(e, EPERM,
				"%s/%s@%s: is pinned; 'yore forget --unpin' "
				"lets it go", s->host, s->name, p->name);
	}
	for (uint32_t i = s->first_point; i < end && !r; i++) {
		f->n_going += !f->goes[i];
		f->asked[i] = f->goes[i] = true;
	}
	if (!r)
		f->ends[source] = true;
	return r;
}

/* -- Doing it ----------------------------------------------------------- */

static int
put_end(struct forget *f, size_t source, struct err *e)
{
	const struct history_source *s = &f->nl->l.sources[source];
	const uint8_t *key = f->nl->source_keys[source];
	uint64_t seq = f->nl->l.points[s->first_point + s->n_points - 1].seq;
	uint8_t proof[ENDED_LEN];
	char name[ENDED_NAME_MAX];
	struct err why = ERR_INIT;
	int r;

	ended_name(name, key, seq);
	ended_proof(f->u->rp->keys, key, seq, proof);
	r = sink_put(f->u->sink, name, proof, sizeof(proof), &why);
	if (!r || r == -EEXIST)
		return 0;
	*e = why;
	return r;
}

/* Behind whatever a replicator is putting meanwhile. */
static int
close_base(struct delta_writer *dw, struct err *e)
{
	int r = -EEXIST;

	for (unsigned i = 0; i < CLOSE_TRIES && r == -EEXIST; i++) {
		struct delta_writer_state st;

		r = i ? delta_writer_refresh(dw, e) : 0;
		if (r)
			return r;
		delta_writer_state(dw, &st);
		r = st.exists && !st.closed ? delta_writer_close(dw, e) : 0;
	}
	return r;
}

/* A base that is damaged has nobody who goes on with it. */
static int
close_database(struct forget *f, struct writer *w, size_t source,
	struct err *e)
{
	const struct history_source *s = &f->nl->l.sources[source];
	auto_free char *below = xasprintf("%s/forget", f->u->rp->id_text);
	auto_free char *dir = state_dir(below);
	auto_free char *inside = xasprintf("%s/x", dir);
	auto_delta_writer struct delta_writer *dw = NULL;
	const struct delta_writer_options o = { .host = s->host,
		.name = s->name,
		.file = "x",
		.path = "",
		.state_dir = dir };
	struct err why = ERR_INIT;
	int r;

	state_dir_make(inside);
	r = delta_writer_open(w, &o, &dw, &why);
	if (!r)
		r = close_base(dw, &why);
	if (r != -EBADMSG && r != -EUCLEAN && r != -ENOENT) {
		*e = why;
		return r;
	}
	log_warn("%s/%s: no replicator can be told: %s", s->host, s->name,
		why.text);
	return 0;
}

int
forget_end(struct forget *f, struct writer *w, struct err *e)
{
	const struct history_listing *l = &f->nl->l;
	int r = 0;

	for (size_t i = 0; i < l->n_sources && !r; i++) {
		if (!f->ends[i])
			continue;
		r = put_end(f, i, e);
		if (!r && l->sources[i].kind == HISTORY_DATABASE)
			r = close_database(f, w, i, e);
	}
	return r;
}

int
forget_end_marks(struct forget *f, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < f->nl->l.n_sources && !r; i++) {
		char text[OBJECT_NAME_MAX];
		const char *name = text;

		newest_mark_name(text, f->nl->source_keys[i]);
		if (f->ends[i])
			r = sink_remove_many(f->u->sink, &name, 1, e);
	}
	return r;
}
