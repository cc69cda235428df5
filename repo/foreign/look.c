/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folders are looked at breadth first: the root, what lies in it, what lies in
 * that.  The listing of a folder that tells whether it is a replica also tells
 * which folders to look into if not.
 */
#include "repo/foreign/look.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"

#define BELOW_MAX 16 /* folders in a folder that formats may ask for */

struct foreign_look {
	struct store *store;
	const char *at; /* "" or ends in '/' */
	struct {
		char *below;
		struct foreign_names names;
	} listed[BELOW_MAX];
	unsigned n;
};

/* -- Names ---------------------------------------------------------------- */

static void
release_names(struct foreign_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct foreign_names){ .n = 0 };
}

struct naming {
	struct foreign_names *names;
	size_t skip; /* of a name: what it is the name below */
	size_t max;
};

static bool
take_name(void *ctx, const struct store_object *o)
{
	struct naming *g = ctx;
	struct foreign_names *names = g->names;

	if ((names->n & (names->n - 1)) == 0)
		names->names = xrealloc(names->names,
			(names->n ? names->n * 2 : 1) * sizeof(char *));
	names->names[names->n++] = xstrdup(o->name + g->skip);
	return names->n < g->max;
}

bool
foreign_names_have(const struct foreign_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->names[i], name) == 0)
			return true;
	}
	return false;
}

int
foreign_look_names(struct foreign_look *k, const char *below,
	const struct foreign_names **names, struct err *e)
{
	auto_free char *prefix = xasprintf("%s%s", k->at, below);
	struct naming g = { .skip = strlen(prefix),
		.max = *below ? LOOK_BELOW_MAX : LOOK_NAMES_MAX };
	int r;

	for (unsigned i = 0; i < k->n; i++) {
		*names = &k->listed[i].names;
		if (strcmp(k->listed[i].below, below) == 0)
			return 0;
	}
	if (k->n == BELOW_MAX)
		return err_set(
			e, E2BIG, "%s: too many folders are looked at", prefix);
	g.names = &k->listed[k->n].names;
	r = store_list_folder(k->store, prefix, take_name, &g, e);
	if (r < 0) {
		release_names(g.names);
		return r;
	}
	k->listed[k->n++].below = xstrdup(below);
	*names = g.names;
	return 0;
}

static void
release_look(struct foreign_look *k)
{
	while (k->n > 0) {
		free(k->listed[--k->n].below);
		release_names(&k->listed[k->n].names);
	}
}

/* -- Folders -------------------------------------------------------------- */

struct folder {
	char *prefix;
	unsigned depth;
};

struct looking {
	struct store *store;
	const struct foreign_format *const *formats;
	const struct look_result *known; /* or NULL */
	struct look_result *out;
	struct folder *queue;
	size_t n, done, room;
};

static void
enqueue(struct looking *l, char *prefix, unsigned depth)
{
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->queue = xrealloc(l->queue, l->room * sizeof(*l->queue));
	}
	l->queue[l->n++] = (struct folder){ prefix, depth };
}

static bool
is_known(const struct looking *l, const char *prefix)
{
	for (size_t i = 0; l->known && i < l->known->n; i++) {
		if (strcmp(l->known->found[i].prefix, prefix) == 0)
			return true;
	}
	return false;
}

static void
enqueue_folders(struct looking *l, const struct folder *f,
	const struct foreign_names *names)
{
	unsigned depth = f->depth + 1;

	for (size_t i = 0; i < names->n && depth <= LOOK_DEPTH; i++) {
		const char *name = names->names[i];

		if (l->n == LOOK_FOLDERS_MAX || name[strlen(name) - 1] != '/')
			continue;
		auto_free char *prefix = xasprintf("%s%s", f->prefix, name);

		if (!is_known(l, prefix))
			enqueue(l, steal(prefix), depth);
	}
}

static void
remember(struct looking *l, const struct foreign_format *format,
	const char *prefix)
{
	struct look_result *out = l->out;

	out->found = xrealloc(out->found, (out->n + 1) * sizeof(*out->found));
	out->found[out->n++] = (struct look_found){ format, xstrdup(prefix) };
}

/* The first format that recognises the folder, or NULL; -errno. */
static int
recognise(struct looking *l, struct foreign_look *k,
	const struct foreign_format **format, struct err *e)
{
	*format = NULL;
	for (size_t i = 0; l->formats[i]; i++) {
		int r = l->formats[i]->look(k, e);

		if (r < 0)
			return r;
		if (r > 0) {
			*format = l->formats[i];
			return 0;
		}
	}
	return 0;
}

static int
look_into(struct looking *l, struct folder f, struct err *e)
{
	struct foreign_look k = { .store = l->store, .at = f.prefix };
	const struct foreign_format *format = NULL;
	const struct foreign_names *names;
	int r = foreign_look_names(&k, "", &names, e);

	if (r == 0)
		r = recognise(l, &k, &format, e);
	if (r == 0 && format)
		remember(l, format, f.prefix);
	else if (r == 0)
		enqueue_folders(l, &f, names);
	release_look(&k);
	return r;
}

/* A folder that may not be read says nothing about the others. */
static int
look_on(struct looking *l, struct err *e)
{
	struct err why = ERR_INIT;
	size_t at = l->done++;
	int r = look_into(l, l->queue[at], &why);

	if (r == 0)
		return 0;
	if (at == 0 || (r != -EACCES && r != -ENOENT))
		return err_set(e, -r, "%s", why.text);
	if (r == -EACCES && !l->known)
		log_warn("%s is not looked into: %s", l->queue[at].prefix,
			why.text);
	return 0;
}

int
look_for(struct store *s, const struct foreign_format *const *formats,
	const struct look_result *known, struct look_result *out, struct err *e)
{
	struct looking l = {
		.store = s, .formats = formats, .known = known, .out = out
	};
	bool any = known && known->n > 0;
	int r = 0;

	*out = (struct look_result){ .n = 0 };
	enqueue(&l, xstrdup(""), 0);
	while (r == 0 && l.done < l.n &&
		(any || out->n > 0 || l.done < LOOK_FOLDERS_VAIN))
		r = look_on(&l, e);
	if (r == 0 && l.n >= LOOK_FOLDERS_MAX)
		log_warn("%s: more than %d folders: not all of them were "
			 "looked into",
			s->name, LOOK_FOLDERS_MAX);
	out->n_folders = l.done;
	for (size_t i = 0; i < l.n; i++)
		free(l.queue[i].prefix);
	free(l.queue);
	if (r < 0)
		look_result_release(out);
	return r;
}

void
look_result_release(struct look_result *out)
{
	for (size_t i = 0; i < out->n; i++)
		free(out->found[i].prefix);
	free(out->found);
	*out = (struct look_result){ .n = 0 };
}
