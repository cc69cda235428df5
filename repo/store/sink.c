/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/store.h"

#include <errno.h>
#include "repo/store/directory.h"
#include "repo/store/fault.h"
#include "repo/store/location.h"
#include "repo/store/s3.h"

static int
check_name(const char *name, struct err *e)
{
	if (store_name_ok(name))
		return 0;
	return err_set(e, EINVAL, "\"%s\" is not a name for an object", name);
}

int
sink_put(struct sink *s, const char *name, const void *data, size_t len,
	struct err *e)
{
	int r = check_name(name, e);

	return r < 0 ? r : s->ops->put(s, name, data, len, e);
}

int
sink_begin(struct sink *s, const char *name, struct upload **up, struct err *e)
{
	int r = check_name(name, e);

	return r < 0 ? r : s->ops->begin(s, name, up, e);
}

int
upload_append(struct upload *up, const void *data, size_t len, struct err *e)
{
	return up->ops->append(up, data, len, e);
}

int
upload_commit(struct upload *up, struct err *e)
{
	return up->ops->commit(up, e);
}

void
upload_abort(struct upload *up)
{
	if (up)
		up->ops->abort(up);
}

int
sink_remove(struct sink *s, const char *name, struct err *e)
{
	int r = check_name(name, e);

	return r < 0 ? r : s->ops->remove(s, name, e);
}

static int
remove_each(struct sink *s, const char *const *names, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int r = s->ops->remove(s, names[i], e);

		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

int
sink_remove_many(
	struct sink *s, const char *const *names, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int r = check_name(names[i], e);

		if (r < 0)
			return r;
	}
	if (!s->ops->remove_many)
		return remove_each(s, names, n, e);
	return s->ops->remove_many(s, names, n, e);
}

void
sink_stats(struct sink *s, struct store_stats *st)
{
	*st = (struct store_stats){ .puts = 0 };
	if (s->ops->stats)
		s->ops->stats(s, st);
}

void
sink_free(struct sink *s)
{
	if (s)
		s->ops->free(s);
}

static int
open_inner(const char *repo, bool create, struct sink **s, struct err *e)
{
	const char *path = NULL;
	int r;

	if (repo && (s3_is_address(repo) || s3_is_static(repo)))
		return sink_s3_open(repo, s, e);
	r = location_directory(repo, &path, e);
	return r < 0 ? r : sink_directory_open(path, create, s, e);
}

#ifdef YORE_FAULTS
int
sink_open(const char *repo, bool create, struct sink **s, struct err *e)
{
	struct fault *f = NULL;
	int r = fault_parse_repo(repo, &f, &repo, e);

	if (r == 0)
		r = open_inner(repo, create, s, e);
	if (r == 0 && f)
		*s = fault_sink(f, *s);
	return r;
}
#else
int
sink_open(const char *repo, bool create, struct sink **s, struct err *e)
{
	return open_inner(repo, create, s, e);
}
#endif
