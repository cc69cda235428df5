/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/pages_model.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/crypto/slot.h"
#include "repo/sqlite/database_view.h"
#include "repo/write/init.h"
#include "tests/unit/scratch.h"

#define FIRST_NS 1700000000000000000

uint32_t
model_random(struct model *m, uint32_t below)
{
	m->seed = m->seed * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)((m->seed >> 33) % below);
}

void
model_init(struct model *m, uint32_t page_size, uint32_t n)
{
	const struct slot_secret open_slot = { .type = SLOT_OPEN };
	char id[33];

	*m = (struct model){ .page_size = page_size, .seed = 1 };
	assert_true(scratch_make(m->dir, sizeof(m->dir)));
	setenv("XDG_STATE_HOME", m->dir, 1);
	m->repo = xasprintf("%s/repo", m->dir);
	m->state_dir = xasprintf("%s/state", m->dir);
	assert_int_equal(mkdir(m->state_dir, 0700), 0);
	assert_int_equal(repository_init(m->repo, &open_slot, id, NULL), 0);
	m->now.time_ns = FIRST_NS;
	model_resize(m, n);
	for (uint32_t p = 1; p <= n; p++)
		model_touch(m, p);
	m->n_changed = 0;
	memset(m->is_changed, 0, n);
}

bool
model_try_open(struct model *m)
{
	const struct delta_writer_options o = { .host = MODEL_HOST,
		.name = MODEL_NAME,
		.file = MODEL_NAME,
		.path = "/srv/" MODEL_NAME,
		.state_dir = m->state_dir };
	const struct history_open_options how = { .memory = 0 };

	return writer_open(m->repo, &how, &m->w, &m->e) ||
	       delta_writer_open(m->w, &o, &m->dw, &m->e);
}

void
model_open(struct model *m)
{
	if (model_try_open(m))
		fail_msg("%s", m->e.text);
}

void
model_close(struct model *m)
{
	delta_writer_free(m->dw);
	writer_free(m->w);
	m->dw = NULL;
	m->w = NULL;
}

void
model_release(struct model *m)
{
	model_close(m);
	assert_true(scratch_remove(m->dir));
	for (size_t i = 0; i < m->n_past; i++)
		free(m->past[i].page);
	free(m->past);
	free(m->now.page);
	free(m->changed);
	free(m->is_changed);
	free(m->repo);
	free(m->state_dir);
	for (size_t i = 0; i < m->n_all; i++)
		free(m->all[i]);
	free(m->all);
}

/* -- Changing ------------------------------------------------------------------ */

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
note(struct model *m, uint32_t pgno)
{
	if (m->is_changed[pgno - 1])
		return;
	m->is_changed[pgno - 1] = 1;
	m->changed[m->n_changed++] = pgno;
}

static void
own(struct model *m, uint8_t *page)
{
	if (m->n_all == m->cap_all) {
		m->cap_all = m->cap_all ? 2 * m->cap_all : 256;
		m->all = xrealloc(m->all, m->cap_all * sizeof(*m->all));
	}
	m->all[m->n_all++] = page;
}

void
model_touch(struct model *m, uint32_t pgno)
{
	uint8_t *page = xcalloc(1, m->page_size);

	for (uint32_t i = 0; i < m->page_size; i += 8)
		put_be64(page + i, i % 64 ? m->seed : model_random(m, 1u << 31));
	put_be32(page, pgno);
	m->now.page[pgno - 1] = page;
	own(m, page);
	note(m, pgno);
}

void
model_resize(struct model *m, uint32_t n)
{
	uint32_t old = m->now.n;
	size_t kept = 0;

	for (size_t i = 0; i < m->n_changed; i++) {
		if (m->changed[i] <= n)
			m->changed[kept++] = m->changed[i];
	}
	m->n_changed = kept;
	m->now.page = xrealloc(m->now.page, (n + 1) * sizeof(*m->now.page));
	m->changed = xrealloc(m->changed, (n + 1) * sizeof(*m->changed));
	m->is_changed = xrealloc(m->is_changed, n + 1);
	for (uint32_t i = old; i < n; i++) {
		m->now.page[i] = NULL;
		m->is_changed[i] = 0;
	}
	m->now.n = n;
}

void
model_change(struct model *m)
{
	uint32_t n = 1 + model_random(m, 6);

	switch (model_random(m, 12)) {
	case 0:
		model_resize(m, m->now.n + model_random(m, 20));
		break;
	case 1:
		model_resize(m, m->now.n - model_random(m, m->now.n / 2));
		break;
	case 2:
		n = m->now.n; /* as VACUUM does */
		for (uint32_t p = 1; p <= n; p++)
			model_touch(m, p);
		return;
	}
	while (n--)
		model_touch(m, 1 + model_random(m, m->now.n));
}

void
model_change_much(struct model *m, unsigned i)
{
	for (unsigned k = 0; k < 1500; k++)
		model_touch(m, 1 + model_random(m, m->now.n));
	if (i == 20)
		model_resize(m, 9000);
	if (i == 30)
		model_resize(m, 31000);
}

/* -- Handing over ---------------------------------------------------------------- */

static void
copy_page(const struct model *m, uint32_t pgno, uint8_t *to)
{
	const uint8_t *page = m->now.page[pgno - 1];

	if (page)
		memcpy(to, page, m->page_size);
	else
		memset(to, 0, m->page_size);
}

static int
read_changed(void *ctx, size_t i, void *buf, struct err *e)
{
	const struct model *m = ctx;

	(void)e;
	copy_page(m, m->changed[i], buf);
	return 0;
}

static int
read_pages(void *ctx, uint32_t first, uint32_t n, void *buf, struct err *e)
{
	const struct model *m = ctx;

	(void)e;
	for (uint32_t i = 0; i < n; i++)
		copy_page(m, first + i,
			(uint8_t *)buf + (size_t)i * m->page_size);
	return 0;
}

void
model_keep(struct model *m)
{
	struct model_state *s;
	size_t bytes = (m->now.n + 1) * sizeof(*m->now.page);

	m->past = xrealloc(m->past, (m->n_past + 1) * sizeof(*m->past));
	s = &m->past[m->n_past++];
	*s = m->now;
	s->page = xmemdup(m->now.page, bytes);
	m->n_changed = 0;
	memset(m->is_changed, 0, m->now.n);
	m->now.time_ns += NS_PER_S;
}

struct delta_writer_pages
model_pages(struct model *m)
{
	return (struct delta_writer_pages){ .page_size = m->page_size,
		.n = m->now.n,
		.read = read_pages,
		.ctx = m };
}

struct delta_writer_delta
model_delta(struct model *m)
{
	qsort(m->changed, m->n_changed, sizeof(*m->changed), compare);
	return (struct delta_writer_delta){ .pgno = m->changed,
		.n = m->n_changed,
		.read = read_changed,
		.ctx = m,
		.pages = m->now.n,
		.time_ns = m->now.time_ns,
		.opaque = &m->now.time_ns,
		.opaque_len = sizeof(m->now.time_ns) };
}

int
model_put_base(struct model *m, bool continues, struct err *e)
{
	const struct delta_writer_base b = { .pages = model_pages(m),
		.time_ns = m->now.time_ns,
		.continues = continues,
		.opaque = "base",
		.opaque_len = 4,
		.mode = 0640,
		.uid = 1,
		.gid = 2 };
	struct backup_result result;
	int r = delta_writer_base(m->dw, &b, &result, e);

	if (!r)
		model_keep(m);
	return r;
}

int
model_put_delta(struct model *m, struct err *e)
{
	const struct delta_writer_delta d = model_delta(m);
	int r = delta_writer_delta(m->dw, &d, e);

	if (!r)
		model_keep(m);
	return r;
}

void
model_add_base(struct model *m, bool continues)
{
	struct err e = ERR_INIT;

	if (model_put_base(m, continues, &e))
		fail_msg("state %zu: %s", m->n_past, e.text);
}

void
model_add_delta(struct model *m)
{
	struct err e = ERR_INIT;

	if (model_put_delta(m, &e))
		fail_msg("state %zu: %s", m->n_past, e.text);
}

/* -- Reading ------------------------------------------------------------------------ */

struct history *
model_history(const struct model *m)
{
	struct history *h;
	struct err e = ERR_INIT;

	if (history_open_repository(m->repo, NULL, &h, &e))
		fail_msg("%s", e.text);
	return h;
}

static const uint8_t zeros[65536];

/* Whether len bytes at off are those of a state; the page where they differ. */
static uint32_t
wrong_page(const struct model *m, const struct model_state *s, uint64_t off,
	const uint8_t *data, size_t len)
{
	while (len) {
		uint32_t in = (uint32_t)(off % m->page_size);
		size_t n = m->page_size - in;
		const uint8_t *page = s->page[off / m->page_size];

		n = n < len ? n : len;
		if (memcmp(data, (page ? page : zeros) + in, n))
			return (uint32_t)(off / m->page_size + 1);
		off += n;
		data += n;
		len -= n;
	}
	return 0;
}

static void
check_bytes(const struct model *m, const struct model_state *s, uint64_t off,
	const uint8_t *data, size_t len)
{
	uint32_t pgno = wrong_page(m, s, off, data, len);

	if (pgno)
		fail_msg("page %u is wrong", (unsigned)pgno);
}

struct poured {
	struct view_sink sink; /* first */
	const struct model *m;
	const struct model_state *s;
	_Atomic uint32_t wrong;
	_Atomic uint8_t *came; /* how often, each page */
};

static int
take(struct view_sink *vs, uint64_t off, const void *data, size_t len,
	struct err *e)
{
	struct poured *p = (struct poured *)vs;
	uint32_t size = p->m->page_size;
	uint32_t wrong = wrong_page(p->m, p->s, off, data, len);

	(void)e;
	if (wrong)
		p->wrong = wrong;
	for (uint64_t at = off; at < off + len; at += size)
		p->came[at / size]++;
	return 0;
}

int
model_pour(struct model *m, struct view *v, const struct model_state *s,
	struct err *e)
{
	struct poured p = { .sink = { take }, .m = m, .s = s };
	int r;

	p.came = calloc(s->n + 1, 1);
	assert_non_null(p.came);
	r = view_pour(v, DATABASE_RAW_NODE, &p.sink, e);
	for (uint32_t i = 0; i < s->n && !r; i++) {
		bool is_zeros = !s->page[i] ||
				!memcmp(s->page[i], zeros, m->page_size);

		if (p.came[i] > 1 || (p.came[i] == 0 && !is_zeros))
			fail_msg("page %u came %u times", i + 1, p.came[i]);
	}
	if (!r && p.wrong)
		fail_msg("page %u was poured wrong", p.wrong);
	free((void *)(uintptr_t)p.came);
	return r;
}

static void
check_view(struct model *m, struct view *v, const struct model_state *s)
{
	uint64_t size = (uint64_t)s->n * m->page_size, off = 0;
	struct view_attr a;
	struct err e = ERR_INIT;

	assert_int_equal(view_attr(v, DATABASE_RAW_NODE, &a, &e), 0);
	assert_int_equal(a.size, size);
	while (off < size) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		size_t len = 1 + model_random(m, 200000);

		if (view_read(v, DATABASE_RAW_NODE, off, len, &d, &e))
			fail_msg("%s", e.text);
		assert_true(d.len > 0);
		for (int i = 0; i < d.n; i++) {
			check_bytes(m, s, off, d.iov[i].iov_base,
				d.iov[i].iov_len);
			off += d.iov[i].iov_len;
		}
		/* what else is offered is right, too */
		check_bytes(m, s, off,
			(uint8_t *)d.iov[d.n - 1].iov_base +
				d.iov[d.n - 1].iov_len,
			d.after);
		check_bytes(m, s, off - d.len - d.before,
			(uint8_t *)d.iov[0].iov_base - d.before, d.before);
	}
	if (model_random(m, 4) == 0 && model_pour(m, v, s, &e))
		fail_msg("%s", e.text);
}

void
model_check(struct model *m, struct history *h, size_t i)
{
	auto_listing struct history_listing *l = history_listing(h);
	auto_view struct view *v = NULL;
	struct history_point p;
	struct err e = ERR_INIT;

	if (history_moment_at(h, l, 0, m->past[i].time_ns, &p, &e) ||
		history_open_moment(h, l, &p, &v, &e))
		fail_msg("state %zu: %s", i, e.text);
	assert_int_equal(p.time_ns, m->past[i].time_ns);
	check_view(m, v, &m->past[i]);
}
