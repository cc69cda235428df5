/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/scratch.h"

#include <sys/mman.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "repo/base/buf.h"

int
scratch_file(struct err *e)
{
	const char *dir = getenv("TMPDIR");
	auto_free char *path = NULL;
	int fd, r;

	if (!dir || dir[0] != '/')
		dir = "/var/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	path = xasprintf("%s/yore.XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	r = errno;
	return fd >= 0 ? fd : err_sys(e, r, "%s: no scratch file", dir);
}

/* Whole blocks are set aside, so that a full disk is told here and not by a
 * signal. */
static int
map_file(struct scratch *s, size_t len, struct err *e)
{
	auto_close int fd = scratch_file(e);
	void *p;
	int r;

	if (fd < 0)
		return fd;
	r = posix_fallocate(fd, 0, (off_t)len);
	if (r)
		return err_sys(e, r, "a scratch file of %zu bytes", len);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return err_sys(e, errno, "a scratch file of %zu bytes", len);
	*s = (struct scratch){ .data = p, .len = len };
	return 0;
}

int
scratch_new(struct scratch *s, size_t len, struct err *e)
{
	*s = (struct scratch){ .data = NULL };
	if (len > SCRATCH_SMALL)
		return map_file(s, len, e);
	*s = (struct scratch){ .data = xcalloc(1, len ? len : 1), .len = len };
	return 0;
}

int
scratch_grow(struct scratch *s, size_t len, struct err *e)
{
	struct scratch bigger;
	int r = scratch_new(&bigger, len, e);

	if (r)
		return r;
	if (s->len)
		memcpy(bigger.data, s->data, s->len);
	scratch_release(s);
	*s = bigger;
	return 0;
}

void
scratch_release(struct scratch *s)
{
	if (s->len > SCRATCH_SMALL)
		munmap(s->data, s->len);
	else
		free(s->data);
	*s = (struct scratch){ .data = NULL };
}
