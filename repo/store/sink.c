/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/store.h"

#include <errno.h>
#include "repo/store/directory.h"
#include "repo/store/fault.h"
#include "repo/store/location.h"

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
	int r = location_directory(repo, &path, e);

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
