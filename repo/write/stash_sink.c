/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing, with a copy of what is to be kept.
 *
 * A record is kept in two steps, because who cannot read cannot find out what
 * became of a request that was not answered: what is pending is put once more
 * by the next run, which changes nothing if it had arrived, and gives the
 * snapshot its name if not; all it refers to was there before.
 */
#include "repo/write/stash_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/format/object.h"
#include "repo/format/record.h"

#define PENDING_MAX (1u << 20)

struct stash_writer {
	struct sink sink;
	struct sink *inner;
	struct stash *k;
};

struct stash_upload {
	struct upload upload;
	struct upload *inner;
	struct stash *k;
	char *name;
	char *copy;	/* where a whole copy goes, or NULL */
	char *temporary; /* its name until then */
	int fd;
	bool ends; /* first and last bytes are kept */
	struct buf first, before_last, last;
	uint64_t len;
};

static struct stash_writer *
writer_of(struct sink *s)
{
	return (struct stash_writer *)s;
}

static struct stash_upload *
upload_of(struct upload *up)
{
	return (struct stash_upload *)up;
}

static bool
starts(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* -- Records ----------------------------------------------------------------- */

static char *
pending_path(const struct stash *k)
{
	return xasprintf("%s/pending", k->source);
}

/* The record is there: it is the newest, and those before it are not needed. */
static void
keep_record(struct stash *k, const char *name, const void *data, size_t len)
{
	auto_free char *path = stash_path(k, name);
	auto_free char *dir = xstrdup(path);
	auto_free char *pending = pending_path(k);

	*strrchr(dir, '/') = '\0';
	if (stash_replace(path, data, len) == 0)
		stash_clear(dir, strrchr(path, '/') + 1);
	unlink(pending);
}

/* Whether the record may have arrived all the same. */
static bool
is_unsure(int r)
{
	return r == -EIO || r == -EINTR || r == -EEXIST;
}

static int
put_record(struct stash_writer *w, const char *name, const void *data,
	size_t len, struct err *e)
{
	struct stash *k = w->k;
	auto_free char *pending = pending_path(k);
	auto_buf struct buf b = BUF_INIT;
	int r;

	buf_printf(&b, "%s\n", name);
	buf_append(&b, data, len);
	r = stash_replace(pending, b.data, b.len);
	if (r < 0 && stash_is_blind(k))
		return err_sys(e, -r, "%s", pending);
	r = sink_put(w->inner, name, data, len, e);
	if (r == 0)
		keep_record(k, name, data, len);
	else if (!is_unsure(r))
		unlink(pending);
	return r;
}

/* Put what is pending; -EBADMSG when it is nothing of the kind. */
static int
put_again(struct stash *k, struct sink *s, uint8_t *data, size_t len,
	struct err *e)
{
	uint8_t *end = memchr(data, '\n', len);
	size_t n;
	int r;

	if (!end)
		return -EBADMSG;
	*end = '\0';
	n = len - (size_t)(end + 1 - data);
	if (!starts((char *)data, "snap/") || !store_name_ok((char *)data))
		return -EBADMSG;
	r = sink_put(s, (char *)data, end + 1, n, e);
	if (r == 0 || r == -EEXIST) {
		log_info("%s: put again, since its arrival was not confirmed",
			(char *)data);
		keep_record(k, (char *)data, end + 1, n);
		r = 0;
	}
	return r;
}

static int
settle_pending(struct stash *k, struct sink *s, struct err *e)
{
	auto_free char *pending = pending_path(k);
	auto_free uint8_t *data = xmalloc(PENDING_MAX);
	size_t len;
	int r;

	if (stash_read(pending, false, 0, PENDING_MAX, data, &len, 0))
		return 0;
	/* who can read sees what arrived */
	if (!stash_is_blind(k) || len == PENDING_MAX) {
		unlink(pending);
		return 0;
	}
	r = put_again(k, writer_of(s)->inner, data, len, e);
	if (r == -EBADMSG) {
		unlink(pending);
		r = 0;
	}
	return r;
}

int
stash_begin(struct stash *k, struct sink *s, const uint8_t source[SOURCE_KEY_LEN],
	struct err *e)
{
	free(steal(k->source));
	if (!k->dir[0])
		return 0;
	hex_encode(k->source_hex, source, SOURCE_KEY_LEN);
	k->source = xasprintf("%s/%s", k->dir, k->source_hex);
	return s ? settle_pending(k, s, e) : 0;
}

static int
stash_put(struct sink *s, const char *name, const void *data, size_t len,
	struct err *e)
{
	struct stash_writer *w = writer_of(s);

	if (w->k->source && starts(name, "snap/"))
		return put_record(w, name, data, len, e);
	return sink_put(w->inner, name, data, len, e);
}

/* -- Packs and segments ------------------------------------------------------- */

static const struct sink_ops stash_sink_ops;

/* Where the copy of an object goes; NULL: there is none. */
static char *
copy_path(const struct stash *k, const char *name)
{
	if (k->source && starts(name, "meta/"))
		return xasprintf(
			"%s/pages/%s", k->source, strrchr(name, '/') + 1);
	if (k->source && starts(name, "idx/0-"))
		return stash_path(k, name);
	return NULL;
}

static void
open_copy(struct stash_upload *u)
{
	u->temporary = xasprintf("%s.new", u->copy);
	unlink(u->temporary);
	if (stash_patch(u->temporary, 0, "", 0) == 0)
		u->fd = open(u->temporary, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
}

static int
stash_upload_begin(
	struct sink *s, const char *name, struct upload **up, struct err *e)
{
	struct stash_writer *w = writer_of(s);
	struct stash_upload *u = xcalloc(1, sizeof(*u));
	int r = sink_begin(w->inner, name, &u->inner, e);

	if (r < 0) {
		free(u);
		return r;
	}
	u->upload.ops = &stash_sink_ops;
	u->k = w->k;
	u->fd = -1;
	u->name = xstrdup(name);
	u->copy = copy_path(w->k, name);
	if (u->copy)
		open_copy(u);
	u->ends = w->k->source &&
		  (starts(name, "data/") || starts(name, "meta/"));
	*up = &u->upload;
	return 0;
}

static void
swap_last(struct stash_upload *u, const void *data, size_t len)
{
	struct buf b = u->before_last;

	u->before_last = u->last;
	u->last = b;
	u->last.len = 0;
	buf_append(&u->last, data, len);
}

static int
stash_upload_append(
	struct upload *up, const void *data, size_t len, struct err *e)
{
	struct stash_upload *u = upload_of(up);

	if (u->fd >= 0 && write(u->fd, data, len) != (ssize_t)len) {
		log_warn("%s: not kept: %s", u->copy, strerror(errno));
		close(steal_fd(u->fd));
	}
	if (u->ends && u->len < OBJECT_HEADER_LEN)
		buf_append(&u->first, data, len);
	else if (u->ends)
		swap_last(u, data, len);
	u->len += len;
	return upload_append(u->inner, data, len, e);
}

static void
upload_free(struct stash_upload *u)
{
	if (u->temporary)
		unlink(u->temporary);
	if (u->fd >= 0)
		close(u->fd);
	buf_release(&u->first);
	buf_release(&u->before_last);
	buf_release(&u->last);
	free(u->temporary);
	free(u->copy);
	free(u->name);
	free(u);
}

/* Table of contents and trailer were the last two to be appended. */
static void
keep_ends(struct stash_upload *u)
{
	auto_free char *path = stash_path(u->k, u->name);
	auto_buf struct buf end = BUF_INIT;

	buf_append(&end, u->before_last.data, u->before_last.len);
	buf_append(&end, u->last.data, u->last.len);
	if (end.len < u->len &&
		stash_patch(path, u->len - end.len, end.data, end.len) == 0)
		(void)stash_patch(path, 0, u->first.data, u->first.len);
}

/* All packs are named by a segment now. */
static void
forget_ends(const struct stash *k)
{
	auto_free char *dir = xasprintf("%s/ends", k->source);

	stash_clear(dir, NULL);
}

static int
stash_upload_commit(struct upload *up, struct err *e)
{
	struct stash_upload *u = upload_of(up);
	int r = upload_commit(steal(u->inner), e);

	if (r == 0 && u->fd >= 0 && rename(u->temporary, u->copy))
		log_warn("%s: not kept: %s", u->copy, strerror(errno));
	if (r == 0 && u->ends)
		keep_ends(u);
	if (r == 0 && u->k->source && starts(u->name, "idx/0-"))
		forget_ends(u->k);
	upload_free(u);
	return r;
}

static void
stash_upload_abort(struct upload *up)
{
	struct stash_upload *u = upload_of(up);

	upload_abort(steal(u->inner));
	upload_free(u);
}

/* -- The rest -------------------------------------------------------------------- */

/* A record that is withdrawn is no longer the newest. */
static int
stash_remove(struct sink *s, const char *name, struct err *e)
{
	struct stash_writer *w = writer_of(s);
	auto_free char *path =
		starts(name, "snap/") ? stash_path(w->k, name) : NULL;
	int r = sink_remove(w->inner, name, e);

	if (r == 0 && path)
		unlink(path);
	return r;
}

static int
stash_remove_many(
	struct sink *s, const char *const *names, size_t n, struct err *e)
{
	return sink_remove_many(writer_of(s)->inner, names, n, e);
}

static void
stash_stats(struct sink *s, struct store_stats *st)
{
	sink_stats(writer_of(s)->inner, st);
}

static void
stash_sink_free(struct sink *s)
{
	sink_free(writer_of(s)->inner);
	free(s);
}

static const struct sink_ops stash_sink_ops = {
	.put = stash_put,
	.begin = stash_upload_begin,
	.append = stash_upload_append,
	.commit = stash_upload_commit,
	.abort = stash_upload_abort,
	.remove = stash_remove,
	.remove_many = stash_remove_many,
	.stats = stash_stats,
	.free = stash_sink_free,
};

struct sink *
stash_sink(struct stash *k, struct sink *inner)
{
	struct stash_writer *w = xcalloc(1, sizeof(*w));

	w->sink.ops = &stash_sink_ops;
	w->inner = inner;
	w->k = k;
	return &w->sink;
}
