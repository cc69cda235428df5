/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/foreign.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/foreign/finder.h"

/* -- Looking -------------------------------------------------------------- */

static int
nothing_found(const char *address, const struct foreign_format *const *formats,
	struct err *e)
{
	auto_buf struct buf b = BUF_INIT;

	for (size_t i = 0; formats[i]; i++)
		buf_printf(&b, "%s%s (%s)", i ? ", " : "", formats[i]->name,
			formats[i]->marks);
	buf_append(&b, "", 1);
	return err_set(e, ENOENT,
		"%s: no replica there that could be shown;"
		" looked for %s",
		address, (char *)b.data);
}

/* The formats to look for: all, or one; ends with NULL. */
static int
choose(const char *format, const struct foreign_format **chosen, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; foreign_formats[i] && n + 1 < FINDER_FORMATS_MAX;
		i++) {
		if (!format || strcmp(format, foreign_formats[i]->name) == 0)
			chosen[n++] = foreign_formats[i];
	}
	chosen[n] = NULL;
	if (n > 0 || !format)
		return 0;
	return err_set(e, EINVAL,
		"%s: not a format; \"yore formats\" lists them", format);
}

static void
take_found(struct look_result *out, const char *format, const char *prefix)
{
	for (size_t i = 0; foreign_formats[i]; i++) {
		if (strcmp(foreign_formats[i]->name, format) != 0)
			continue;
		out->found = xrealloc(
			out->found, (out->n + 1) * sizeof(*out->found));
		out->found[out->n++] = (struct look_found){ foreign_formats[i],
			xstrdup(prefix) };
	}
}

static int
find_kept(struct foreign_place *p, struct look_result *out, struct err *e)
{
	auto_free uint8_t *data = NULL;
	struct kept *k;
	size_t len;
	int r = foreign_place_kept(p, &k, e);

	*out = (struct look_result){ .n = 0 };
	if (r < 0)
		return r;
	if (kept_get(k, FINDER_KEPT_NAME, FINDER_KEPT_MAX, &data, &len) < 0)
		return err_set(e, ENETDOWN,
			"%s: not in the cache, and offline "
			"nothing else is asked",
			p->store->name);
	for (char *at = (char *)data; *at;) {
		char *format = strsep(&at, "\n");
		char *prefix = at ? strsep(&at, "\n") : NULL;

		if (!prefix || !at)
			break;
		take_found(out, format, prefix);
	}
	return 0;
}

static int
find(struct foreign_place *p, const struct foreign_format *const *formats,
	struct look_result *out, struct err *e)
{
	int r;

	if (foreign_place_offline(p))
		return find_kept(p, out, e);
	r = look_for(p->direct, formats, NULL, out, e);
	if (r == -EOPNOTSUPP)
		r = err_set(e, EOPNOTSUPP,
			"%s: a web server lists nothing, so replicas of other "
			"programs cannot be found there: give their bucket "
			"(s3://...), or a copy in a directory",
			p->store->name);
	if (r == 0 && out->n == 0)
		r = nothing_found(p->store->name, formats, e);
	return r;
}

int
foreign_open_history(const char *address, const char *format,
	const struct history_open_options *o, struct history **h, struct err *e)
{
	const struct foreign_format *formats[FINDER_FORMATS_MAX];
	struct look_result found = { .n = 0 };
	struct foreign_place *place;
	struct store *store = NULL;
	int r = choose(format, formats, e);

	if (r == 0)
		r = store_open_foreign(address, &store, e);
	if (r < 0)
		return r;
	place = foreign_place_new(store, o);
	r = find(place, formats, &found, e);
	if (r == 0)
		r = finder_open(place, formats, &found, h, e);
	look_result_release(&found);
	foreign_place_put(place);
	return r;
}
