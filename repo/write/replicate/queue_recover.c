/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a queue's files say, read from the oldest to the newest.  A file whose
 * end does not verify is cut there and ends the queue: the files behind it are
 * removed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/write/replicate/queue_private.h"

char *
queue_file_name(uint64_t number)
{
	return xasprintf("%012llu.q", (unsigned long long)number);
}

void
queue_files_remove(struct queue *q, uint64_t before)
{
	for (; q->first_file < before; q->first_file++) {
		auto_free char *name = queue_file_name(q->first_file);
		struct stat st;

		if (fstatat(q->dir_fd, name, &st, 0))
			continue;
		if (q->old_bytes >= (uint64_t)st.st_size)
			q->old_bytes -= (uint64_t)st.st_size;
		unlinkat(q->dir_fd, name, 0);
	}
}

void
queue_unit_add(struct queue *q, const struct queue_unit_place *p)
{
	if (q->n_units == q->cap_units) {
		q->cap_units = q->cap_units * 2 + 64;
		q->units = xrealloc(q->units, q->cap_units * sizeof(*q->units));
	}
	q->units[q->n_units++] = *p;
}

/* One file's records, taken into q. */
struct reading {
	struct queue *q;
	bool first; /* no START has been seen */
};

static int
take_start(struct reading *rd, const struct queue_record *r,
	const struct queue_mark *behind, struct err *e)
{
	struct queue *q = rd->q;
	struct reader in = reader_of(r->payload, r->len);
	const uint8_t *lineage = read_bytes(&in, QUEUE_LINEAGE_LEN);
	struct queue_start s;

	position_decode(&in, &s.at);
	s.unit = read_be64(&in);
	if (in.bad)
		return err_set(e, EUCLEAN, "the queue contradicts itself");
	memcpy(s.lineage, lineage, QUEUE_LINEAGE_LEN);
	if (!q->begun ||
		memcmp(s.lineage, q->start.lineage, QUEUE_LINEAGE_LEN) ||
		s.unit + 1 != q->filling)
		q->n_units = 0; /* what was before it is of no use */
	q->begun = true;
	q->start = s;
	q->last = s.at;
	q->filling = s.unit + 1;
	q->committed = q->cut = *behind;
	q->dirty = q->pages = false;
	rd->first = false;
	return 0;
}

static int
take_cut(struct reading *rd, const struct queue_record *r,
	const struct queue_mark *behind, struct err *e)
{
	struct queue *q = rd->q;
	struct reader in = reader_of(r->payload, r->len);
	struct queue_unit_place p = { .number = read_be64(&in),
		.file = q->file,
		.from = q->cut,
		.to = q->committed.off,
		.at = q->last };

	if (in.bad || p.number != q->filling)
		return err_set(e, EUCLEAN, "the queue contradicts itself");
	queue_unit_add(q, &p);
	q->filling++;
	q->committed = q->cut = *behind;
	q->dirty = q->pages = false;
	return 0;
}

static int
take(void *ctx, const struct queue_record *r, const struct queue_mark *behind,
	struct err *e)
{
	struct reading *rd = ctx;
	struct reader in = reader_of(r->payload, r->len);
	struct position p;

	if (rd->first != (r->type == QUEUE_START))
		return err_set(e, EUCLEAN, "the queue contradicts itself");
	switch (r->type) {
	case QUEUE_START:
		return take_start(rd, r, behind, e);
	case QUEUE_PAGES:
		rd->q->pages = true;
		return 0;
	case QUEUE_COMMIT:
		position_decode(&in, &p);
		if (in.bad)
			break;
		rd->q->last = p;
		rd->q->dirty |= rd->q->pages;
		rd->q->pages = false;
		rd->q->committed = *behind;
		return 0;
	case QUEUE_CUT:
		return take_cut(rd, r, behind, e);
	}
	return err_set(e, EUCLEAN, "the queue contradicts itself");
}

/* Make q's current file this one and read it; *whole: to its end. */
static int
read_file(struct queue *q, uint64_t number, bool *whole, struct err *e)
{
	auto_free char *name = queue_file_name(number);
	struct reading rd = { .q = q, .first = true };
	struct queue_mark at = { .off = 0 };
	struct stat st;
	int fd = openat(q->dir_fd, name, O_RDWR | O_CLOEXEC), r;

	if (fd < 0 || fstat(fd, &st)) {
		r = err_sys(e, errno, "%s/%s", q->dir, name);
		if (fd >= 0)
			close(fd);
		return r;
	}
	if (q->fd >= 0)
		close(q->fd);
	q->fd = fd;
	q->file = number;
	r = queue_file_scan(fd, &at, (uint64_t)st.st_size, take, &rd, e);
	*whole = !r && at.off == (uint64_t)st.st_size && !rd.first;
	if (rd.first)
		q->begun = false;
	q->end = q->committed;
	q->pages = false;
	if (r && r != -EUCLEAN)
		return r;
	if (q->begun && ftruncate(fd, (off_t)q->committed.off))
		return err_sys(e, errno, "%s/%s", q->dir, name);
	q->old_bytes += q->begun ? q->committed.off : 0;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static size_t
list_files(struct queue *q, uint64_t **numbers)
{
	int fd = openat(q->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *d = fdopendir(fd);
	size_t n = 0, cap = 0;
	struct dirent *en;

	*numbers = NULL;
	while (d && (en = readdir(d))) {
		unsigned long long v;
		char tail;

		if (strlen(en->d_name) != 14 ||
			sscanf(en->d_name, "%12llu.%c", &v, &tail) != 2 ||
			tail != 'q')
			continue;
		if (n == cap) {
			cap = cap * 2 + 16;
			*numbers = xrealloc(*numbers, cap * sizeof(**numbers));
		}
		(*numbers)[n++] = v;
	}
	if (n)
		qsort(*numbers, n, sizeof(**numbers), compare);
	return n;
}

int
queue_recover(struct queue *q, struct err *e)
{
	auto_free uint64_t *numbers = NULL;
	size_t n = list_files(q, &numbers), i;
	bool whole = true;
	int r = 0;

	q->first_file = n ? numbers[0] : 1;
	q->file = n ? numbers[n - 1] : 0;
	for (i = 0; i < n && whole && !r; i++)
		r = read_file(q, numbers[i], &whole, e);
	for (; i < n && !r; i++) {
		auto_free char *name = queue_file_name(numbers[i]);

		unlinkat(q->dir_fd, name, 0);
	}
	if (q->begun)
		q->old_bytes -= q->committed.off;
	else
		q->file = n ? numbers[n - 1] : 0;
	return r;
}
