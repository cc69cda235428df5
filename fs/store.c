/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "fs/random.h"
#include "fs/store.h"

/* READs in order before anything is stored, files stored at once at most,
 * and how far (in nodes) the next READ may lie behind the last file stored
 * to be still in order: symlinks, directories and big files lie between. */
#define RUN_MIN 2
#define BATCH_MAX 64
#define REACH 64

/* READs up to this size have their surroundings stored, as far as this to
 * either side, by at most so many threads at once. */
#define SHORT_READ (32u << 10)
#define AROUND (64u << 10)
#define STORERS 4
#define PAGE 4096u

struct storing {
	struct call *c;
	uint64_t last; /* highest node id given */
	bool stop;
};

/* Was it stored in this run of READs?  If not it is now. */
static bool
is_stored(struct mount *m, uint64_t nodeid)
{
	uint64_t *place =
		&m->store_recent[nodeid % n_elements(m->store_recent)];

	if (*place == nodeid)
		return true;
	*place = nodeid;
	return false;
}

int
store_bytes(struct mount *m, uint64_t nodeid, uint64_t off, const void *data,
	size_t len)
{
	struct fuse_bufvec vec = FUSE_BUFVEC_INIT(len);
	int rc;

	vec.buf[0].mem = (void *)(uintptr_t)data;
	rc = fuse_lowlevel_notify_store(
		m->session, nodeid, (off_t)off, &vec, 0);
	if (rc == 0)
		m->metrics.stored_bytes += len;
	return rc;
}

static void
store_one(void *ctx, uint64_t node, const void *data, size_t len)
{
	struct storing *s = ctx;
	struct mount *m = s->c->m;
	uint64_t nodeid = mount_nodeid(m, s->c->node, node);
	int rc;

	if (s->stop || len == 0 || is_stored(m, nodeid))
		return;
	rc = store_bytes(m, nodeid, 0, data, len);
	if (rc == -ENOENT) /* the kernel has not listed that far */
		return;
	s->stop = rc != 0;
	if (rc != 0)
		return;
	s->last = nodeid > s->last ? nodeid : s->last;
	m->metrics.stored_files++;
}

/* How many files to store after this READ; follows the run of READs. */
static int
batch(struct mount *m, uint64_t nodeid)
{
	bool in_order = nodeid >= m->store_next && nodeid <= m->store_limit;

	if (!in_order)
		memset(m->store_recent, 0, sizeof(m->store_recent));
	m->store_run = in_order ? m->store_run + 1 : 0;
	m->store_next = nodeid + 1;
	if (m->store_run < RUN_MIN)
		return 0;
	return m->store_run < 6 ? 1 << m->store_run : BATCH_MAX;
}

void
store_neighbours(struct call *c)
{
	struct mount *m = c->m;
	struct storing s = { .c = c };
	int n;

	/* beside a version are other versions, not its neighbours there */
	if (!m->options->store || c->at == c->node->base ||
		pthread_mutex_trylock(&m->storing) != 0)
		return;
	s.last = mount_nodeid(m, c->node, c->at);
	n = batch(m, s.last);
	if (n > 0)
		view_neighbours(c->view, c->at, n, store_one, &s);
	m->store_limit = s.last + REACH;
	pthread_mutex_unlock(&m->storing);
}

/* -- Around a read ----------------------------------------------------------- */

/* Whole pages only. */
static void
store_both_sides(struct call *c, const struct view_data *d, uint64_t off)
{
	const struct iovec *last = &d->iov[d->n - 1];
	size_t before = d->before < AROUND ? d->before : AROUND;
	size_t after = d->after < AROUND ? d->after : AROUND;
	uint64_t nodeid = mount_nodeid(c->m, c->node, c->at);

	before -= before % PAGE;
	after -= after % PAGE;
	if (before)
		store_bytes(c->m, nodeid, off - before,
			(char *)d->iov[0].iov_base - before, before);
	if (after)
		store_bytes(c->m, nodeid, off + d->len,
			(char *)last->iov_base + last->iov_len, after);
}

static bool
is_short(const struct call *c, const struct view_data *d, uint64_t off,
	size_t size)
{
	return c->m->options->store && size <= SHORT_READ && d->n > 0 &&
	       off % PAGE == 0 && d->len % PAGE == 0;
}

/* Whether the READ is near the short one before, wherever that was. */
static bool
is_near(const struct call *c, uint64_t off)
{
	struct mount *m = c->m;
	uint64_t last = m->short_off;

	return m->short_node == mount_nodeid(m, c->node, c->at) &&
	       (last > off ? last - off : off - last) <= AROUND;
}

void
store_around_before(
	struct call *c, const struct view_data *d, uint64_t off, size_t size)
{
	struct mount *m = c->m;

	if (!is_short(c, d, off, size) || !is_near(c, off) ||
		pthread_mutex_trylock(&m->storing) != 0)
		return;
	store_both_sides(c, d, off);
	pthread_mutex_unlock(&m->storing);
}

void
store_around_after(
	struct call *c, const struct view_data *d, uint64_t off, size_t size)
{
	struct mount *m = c->m;
	uint64_t nodeid = mount_nodeid(m, c->node, c->at);

	if (!is_short(c, d, off, size))
		return;
	if (!is_near(c, off)) {
		if (++m->storers <= STORERS)
			store_both_sides(c, d, off);
		m->storers--;
		if (m->short_node == nodeid)
			random_note(m->random, c);
		else if (off > 0)
			random_expect(m->random, c);
	}
	m->short_node = nodeid;
	m->short_off = off;
}
