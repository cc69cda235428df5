/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/store.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/store/directory.h"
#include "repo/store/fault.h"
#include "repo/store/location.h"
#include "repo/store/objects.h"
#include "repo/store/s3.h"

/* Objects of this size or less are read whole with a single get. */
#define FIRST_GET (1u << 20) /* a catalog of 15,000 snapshots at once */

/* One part of a name; returns its end, or NULL. */
static const char *
part_end(const char *p)
{
	if (*p == '.' || *p == '/' || *p == '\0')
		return NULL;
	while (*p > ' ' && *p <= '~' && *p != '/')
		p++;
	return *p == '/' || *p == '\0' ? p : NULL;
}

bool
store_name_ok(const char *name)
{
	if (strncmp(name, "tmp/", 4) == 0 || strcmp(name, "tmp") == 0)
		return false;
	if (strnlen(name, STORE_NAME_MAX + 1) > STORE_NAME_MAX)
		return false;
	for (const char *p = name;; p++) {
		p = part_end(p);
		if (!p || *p == '\0')
			return p != NULL;
	}
}

static bool
foreign_name_ok(const char *name)
{
	size_t len = strnlen(name, STORE_FOREIGN_NAME_MAX + 1);

	if (len > STORE_FOREIGN_NAME_MAX || memchr(name, '\n', len))
		return false;
	for (const char *p = name;; p++) {
		size_t part = strcspn(p, "/");

		if (part == 0 || (part == 1 && p[0] == '.') ||
			(part == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += part;
		if (*p == '\0')
			return true;
	}
}

bool
store_takes_name(const struct store *s, const char *name)
{
	return s->foreign ? foreign_name_ok(name) : store_name_ok(name);
}

static int
check_name(const struct store *s, const char *name, struct err *e)
{
	if (store_takes_name(s, name))
		return 0;
	return err_set(e, EINVAL, "\"%s\" is not a name of an object", name);
}

int
store_get(struct store *s, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, struct err *e)
{
	return store_get_call(s, name, off, len, buf, got, NULL, e);
}

int
store_get_call(struct store *s, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, const struct store_call *call, struct err *e)
{
	int r = check_name(s, name, e);

	if (r < 0)
		return r;
	if (call && cancel_raised(call->cancel))
		return err_set(e, EINTR, "%s: reading was interrupted", name);
	return s->ops->get(s, name, off, len, buf, got, call, e);
}

static int
too_big(const char *name, size_t max, struct err *e)
{
	return err_set(e, EUCLEAN, "%s is bigger than %zu bytes", name, max);
}

/* What follows the first `have` bytes, now that they were not all. */
static int
get_rest(struct store *s, const char *name, size_t max, uint8_t **data,
	size_t *have, struct err *e)
{
	uint64_t size = 0;
	int r = store_size(s, name, &size, e);

	if (r < 0)
		return r;
	if (size > max)
		return too_big(name, max, e);
	if (size < *have)
		return err_set(e, EBADMSG, "%s shrank while it was read", name);
	*data = xrealloc(*data, size);
	r = store_get(s, name, *have, size - *have, *data + *have, NULL, e);
	*have = size;
	return r;
}

int
store_get_all(struct store *s, const char *name, size_t max, uint8_t **data,
	size_t *len, struct err *e)
{
	const struct store_call call = { .cancel = cancel_current() };
	size_t first = max < FIRST_GET ? max + 1 : FIRST_GET, got = 0;
	auto_free uint8_t *all = xmalloc(first);
	int r = store_get_call(s, name, 0, first, all, &got, &call, e);

	if (r < 0)
		return r;
	if (got > max)
		return too_big(name, max, e);
	if (got == first)
		r = get_rest(s, name, max, &all, &got, e);
	if (r < 0)
		return r;
	*data = steal(all);
	*len = got;
	return 0;
}

bool
store_forget(struct store *s, const char *name, uint64_t off, uint64_t len)
{
	if (!s->ops->forget)
		return false;
	s->ops->forget(s, name, off, len);
	return true;
}

int
store_size(struct store *s, const char *name, uint64_t *size, struct err *e)
{
	int r = check_name(s, name, e);

	return r < 0 ? r : s->ops->size(s, name, size, e);
}

int
store_metadata(struct store *s, const char *name, const char *key, char *out,
	size_t size, struct err *e)
{
	int r = check_name(s, name, e);

	if (r < 0)
		return r;
	if (!s->ops->metadata)
		return err_set(e, ENODATA, "%s has no metadata", name);
	return s->ops->metadata(s, name, key, out, size, e);
}

/* Whether prefix is empty or a name and '/'. */
static bool
prefix_ok(const struct store *s, const char *prefix)
{
	size_t len = strnlen(prefix, STORE_FOREIGN_NAME_MAX + 1);
	char name[STORE_FOREIGN_NAME_MAX + 1];

	if (len == 0)
		return true;
	if (len > STORE_FOREIGN_NAME_MAX || prefix[len - 1] != '/')
		return false;
	memcpy(name, prefix, len - 1);
	name[len - 1] = '\0';
	return store_takes_name(s, name);
}

static int
check_prefix(const struct store *s, const char *prefix, struct err *e)
{
	if (prefix_ok(s, prefix))
		return 0;
	return err_set(e, EINVAL, "\"%s\" is not a prefix of objects", prefix);
}

int
store_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	int r = check_prefix(s, prefix, e);

	return r < 0 ? r : s->ops->list(s, prefix, after, each, ctx, e);
}

int
store_list_names(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	int r = check_prefix(s, prefix, e);

	if (r < 0)
		return r;
	return (s->ops->list_names ? s->ops->list_names : s->ops->list)(
		s, prefix, after, each, ctx, e);
}

int
store_list_few(struct store *s, const char *prefix,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	int r = check_prefix(s, prefix, e);

	if (r < 0)
		return r;
	return s->ops->list_few
		       ? s->ops->list_few(s, prefix, each, ctx, e)
		       : s->ops->list(s, prefix, "", each, ctx, e);
}

static int
list_objects(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	int r = check_prefix(s, q->prefix, e);

	if (r < 0)
		return r;
	return (s->ops->list_objects ? s->ops->list_objects : objects_of_list)(
		s, q, each, ctx, e);
}

int
store_list_objects(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	const struct store_query q = { .prefix = prefix, .after = after };

	return list_objects(s, &q, each, ctx, e);
}

int
store_list_folder(struct store *s, const char *prefix,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	const struct store_query q = {
		.prefix = prefix, .after = "", .folder = true
	};

	return list_objects(s, &q, each, ctx, e);
}

void
store_stats(struct store *s, struct store_stats *st)
{
	*st = (struct store_stats){ .gets = 0 };
	s->ops->stats(s, st);
}

void
store_free(struct store *s)
{
	if (s)
		s->ops->free(s);
}

static int
open_kind(const char *repo, struct store **s, struct err *e)
{
	const char *path = NULL;
	int r;

	if (repo && s3_is_address(repo))
		return store_s3_open(repo, s, e);
	if (repo && s3_is_static(repo))
		return store_web_open(repo, s, e);
	r = location_directory(repo, &path, e);
	return r < 0 ? r : store_directory_open(path, s, e);
}

static int
open_inner(const char *repo, bool foreign, struct store **s, struct err *e)
{
	int r = open_kind(repo, s, e);

	if (r == 0)
		(*s)->foreign = foreign;
	return r;
}

#ifdef YORE_FAULTS
static int
open_any(const char *repo, bool foreign, struct store **s, struct err *e)
{
	struct fault *f = NULL;
	int r = fault_parse_repo(repo, &f, &repo, e);

	if (r == 0)
		r = open_inner(repo, foreign, s, e);
	if (r == 0 && f)
		*s = fault_store(f, *s);
	return r;
}
#else
#define open_any open_inner
#endif

int
store_open(const char *repo, struct store **s, struct err *e)
{
	return open_any(repo, false, s, e);
}

int
store_open_foreign(const char *repo, struct store **s, struct err *e)
{
	return open_any(repo, true, s, e);
}
