/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/spot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/open.h"
#include "repo/address.h"

int
spot_open_repository(struct options *o, struct history **h)
{
	struct unlock_asker asker = { .unlock = &o->unlock };
	struct history_open_options open = { .secret = unlock_ask,
		.ctx = &asker,
		.cache_dir = o->cache_dir,
		.offline = o->offline,
		.format = o->format,
		.patient = o->patient,
		.memory = o->memory };
	struct err e = ERR_INIT;
	int r;

	*h = NULL;
	if (!options_repository(o))
		return STATUS_USAGE;
	r = history_open_repository(o->repo, &open, h, &e);
	unlock_release(&asker.secret);
	return r < 0 ? tool_fail_open(&e) : 0;
}

char *
spot_tidy(const char *path)
{
	char *out = xmalloc(strlen(path) + 1), *end = out;

	while (*(path += strspn(path, "/"))) {
		size_t n = strcspn(path, "/");

		if (n != 1 || *path != '.') {
			if (end > out)
				*end++ = '/';
			memcpy(end, path, n);
			end += n;
		}
		path += n;
	}
	*end = '\0';
	return out;
}

int
spot_open_point(struct history *h, const struct history_listing *l,
	const struct history_point *pt, const char *path, struct spot *p,
	struct err *e)
{
	const struct history_source *s = &l->sources[pt->source];
	int r;

	*p = (struct spot){ .point = *pt };
	r = history_open_moment(h, l, pt, &p->view, e);
	if (r < 0)
		return err_prefix(e, "%s/%s@%s", s->host, s->name, pt->name);
	p->path = spot_tidy(path);
	p->source = xasprintf("%s/%s", s->host, s->name);
	r = view_resolve(p->view, p->path, &p->attr, e);
	if (r < 0) {
		err_prefix(e, "%s@%s", p->source, pt->name);
		spot_release(p);
	}
	return r;
}

int
spot_open(struct history *h, const struct history_listing *l,
	const char *address, struct spot *p, struct err *e)
{
	struct address_space in = { h, l, address_host(), clock_wall_ns() };
	struct address a;
	int r = address_find(&in, address, &a, e);

	if (r < 0)
		return r;
	return spot_open_point(h, l, &a.point, a.path, p, e);
}

void
spot_release(struct spot *p)
{
	view_put(steal(p->view));
	free(steal(p->path));
	free(steal(p->source));
}
