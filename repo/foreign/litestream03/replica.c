/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/litestream03/replica.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "repo/base/buf.h"

#define AGE "age-encryption.org/v1"
#define LOOK_NS 20000000L /* how often who waits looks for a cancel */

int
ls03_new(struct foreign_place *place, const char *prefix, const char *name,
	struct ls03 **r, struct err *e)
{
	struct kept *kept = NULL;
	int rc = foreign_place_kept(place, &kept, e);

	if (rc < 0)
		return rc;
	*r = xcalloc(1, sizeof(**r));
	(*r)->refs = 1;
	(*r)->place = foreign_place_get(place);
	(*r)->kept = kept;
	(*r)->prefix = xstrdup(prefix);
	(*r)->name = xstrdup(name);
	pthread_mutex_init(&(*r)->lock, NULL);
	pthread_cond_init(&(*r)->done, NULL);
	return 0;
}

struct ls03 *
ls03_get(struct ls03 *r)
{
	r->refs++;
	return r;
}

void
ls03_put(struct ls03 *r)
{
	if (!r || --r->refs > 0)
		return;
	foreign_place_put(r->place);
	free(r->prefix);
	free(r->name);
	for (size_t i = 0; r->without && r->without[i]; i++)
		free(r->without[i]);
	free(r->without);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->done);
	free(r);
}

char *
ls03_object_name(const struct ls03 *r, const char *generation,
	const struct ls03_object *o)
{
	struct ls03_name n = {
		.kind = o->kind, .index = o->index, .off = o->off
	};
	char name[LS03_NAME_MAX];

	memcpy(n.generation, generation, LS03_GENERATION_LEN + 1);
	ls03_name_print(name, &n);
	return xasprintf("%sgenerations/%s", r->prefix, name);
}

char *
ls03_kept_name(
	const char *what, const char *object, const struct ls03_object *o)
{
	return xasprintf("%s %s %" PRIu64 " %" PRId64, what, object, o->size,
		o->written_ns);
}

/* -- Work ----------------------------------------------------------------- */

static bool
is_under_way(const struct ls03 *r, const char *name)
{
	for (const struct ls03_work *w = r->works; w; w = w->next)
		if (strcmp(w->name, name) == 0)
			return true;
	return false;
}

static void
wait_a_moment(struct ls03 *r)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += LOOK_NS;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	pthread_cond_timedwait(&r->done, &r->lock, &t);
}

int
ls03_work_begin(
	struct ls03 *r, const char *name, struct ls03_work *w, struct err *e)
{
	auto_lock(&r->lock);

	while (is_under_way(r, name)) {
		if (cancel_raised(cancel_current()))
			return err_set(
				e, EINTR, "%s: reading was interrupted", name);
		wait_a_moment(r);
	}
	*w = (struct ls03_work){ .r = r, .name = name, .next = r->works };
	r->works = w;
	return 0;
}

void
ls03_work_end(struct ls03_work *w)
{
	struct ls03_work **at;

	if (!w->r)
		return;
	auto_lock(&w->r->lock);

	for (at = &w->r->works; *at != w; at = &(*at)->next)
		;
	*at = w->next;
	pthread_cond_broadcast(&w->r->done);
	w->r = NULL;
}

/* -- Errors --------------------------------------------------------------- */

int
ls03_explain(struct ls03 *r, const char *object, int code, struct err *e)
{
	char head[sizeof(AGE) - 1];
	size_t got = 0;

	if (code == -EBADMSG &&
		store_get(r->place->store, object, 0, sizeof(head), head, &got,
			NULL) == 0 &&
		got == sizeof(head) && memcmp(head, AGE, got) == 0)
		return err_set(e, EPROTONOSUPPORT,
			"%s is encrypted with age, which yore cannot read",
			object);
	if (code == -ENOENT)
		return err_set(e, ESTALE, "%s has been removed", object);
	return code;
}
