/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/store.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/store/directory.h"
#include "repo/store/fault.h"
#include "repo/store/location.h"
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

static int
check_name(const char *name, struct err *e)
{
	if (store_name_ok(name))
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
	int r = check_name(name, e);

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
	size_t first = max < FIRST_GET ? max + 1 : FIRST_GET, got = 0;
	auto_free uint8_t *all = xmalloc(first);
	int r = store_get(s, name, 0, first, all, &got, e);

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
	int r = check_name(name, e);

	return r < 0 ? r : s->ops->size(s, name, size, e);
}

/* Whether prefix is empty or a name and '/'. */
static bool
prefix_ok(const char *prefix)
{
	size_t len = strnlen(prefix, STORE_NAME_MAX + 1);
	char name[STORE_NAME_MAX + 1];

	if (len == 0)
		return true;
	if (len > STORE_NAME_MAX || prefix[len - 1] != '/')
		return false;
	memcpy(name, prefix, len - 1);
	name[len - 1] = '\0';
	return store_name_ok(name);
}

int
store_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	if (!prefix_ok(prefix))
		return err_set(
			e, EINVAL, "\"%s\" is not a prefix of objects", prefix);
	return s->ops->list(s, prefix, after, each, ctx, e);
}

int
store_list_names(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	if (!prefix_ok(prefix))
		return err_set(
			e, EINVAL, "\"%s\" is not a prefix of objects", prefix);
	return (s->ops->list_names ? s->ops->list_names : s->ops->list)(
		s, prefix, after, each, ctx, e);
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
open_inner(const char *repo, struct store **s, struct err *e)
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

#ifdef YORE_FAULTS
int
store_open(const char *repo, struct store **s, struct err *e)
{
	struct fault *f = NULL;
	int r = fault_parse_repo(repo, &f, &repo, e);

	if (r == 0)
		r = open_inner(repo, s, e);
	if (r == 0 && f)
		*s = fault_store(f, *s);
	return r;
}
#else
int
store_open(const char *repo, struct store **s, struct err *e)
{
	return open_inner(repo, s, e);
}
#endif
