/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/base/state_dir.h"
#include "repo/native/ended.h"
#include "repo/native/state.h"
#include "repo/native/state_later.h"

#define MARKS_MAX 100000
#define LABEL_MAX 1200

struct mark {
	uint8_t source[SOURCE_KEY_LEN];
	uint64_t seq;
	uint8_t hash[HASH_LEN];
	char *label; /* printable */
	bool seen;   /* the listing has its source */
	bool over;   /* it was forgotten as a whole since */
};

struct marks {
	struct mark *m;
	size_t n, cap;
	size_t n_sorted; /* the first ones, by source */
};

static void
marks_release(struct marks *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->m[i].label);
	free(all->m);
}

#define auto_marks AUTO(marks_release)

/* -- Files -------------------------------------------------------------- */

int
state_write(const char *path, const struct buf *b)
{
	auto_free char *temporary = xasprintf("%s.XXXXXX", path);
	auto_close int fd = -1;
	int r;

	if (path[0] != '/')
		return -ENOENT;
	state_dir_make(path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd >= 0 && write(fd, b->data, b->len) == (ssize_t)b->len &&
		!fsync(fd) && !rename(temporary, path))
		return 0;
	r = errno ? -errno : -ENOSPC;
	log_debug("%s: not written: %m", path);
	if (fd >= 0)
		unlink(temporary);
	return r;
}

/* -- The highest snapshot of each source -------------------------------- */

static struct mark *
marks_add(struct marks *all)
{
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 16;
		all->m = xrealloc(all->m, all->cap * sizeof(*all->m));
	}
	memset(&all->m[all->n], 0, sizeof(*all->m));
	return &all->m[all->n++];
}

/* A line that is not one of ours is forgotten. */
static void
parse_mark(char *line, struct marks *all)
{
	char source[SOURCE_KEY_LEN * 2 + 1], hash[HASH_LEN * 2 + 1];
	struct mark m;
	int label = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%20[0-9a-f] %" SCNu64 " %64[0-9a-f] %n", source,
		    &m.seq, hash, &label) != 3 || !label ||
		hex_decode(m.source, SOURCE_KEY_LEN, source) ||
		hex_decode(m.hash, HASH_LEN, hash))
		return;
	m.label = xstrdup(line + label);
	m.seen = m.over = false;
	*marks_add(all) = m;
}

static int
compare_marks(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	return memcmp(x->source, y->source, SOURCE_KEY_LEN);
}

static void
read_marks(const char *path, struct marks *all)
{
	state_later_wait(path);
	auto_fclose FILE *f = fopen(path, "re");
	auto_free char *line = NULL;
	size_t cap = 0;

	while (f && all->n < MARKS_MAX && getline(&line, &cap, f) > 0)
		parse_mark(line, all);
	all->n_sorted = all->n;
	if (all->n)
		qsort(all->m, all->n, sizeof(*all->m), compare_marks);
}

static void
write_marks(char *path, const struct marks *all)
{
	char source[SOURCE_KEY_LEN * 2 + 1], hash[HASH_LEN * 2 + 1];
	auto_buf struct buf b = BUF_INIT;

	for (size_t i = 0; i < all->n; i++) {
		const struct mark *m = &all->m[i];

		if (m->over)
			continue;
		buf_printf(&b, "%s %" PRIu64 " %s %s\n",
			hex_encode(source, m->source, SOURCE_KEY_LEN), m->seq,
			hex_encode(hash, m->hash, HASH_LEN), m->label);
	}
	state_later(path, &b);
}

static struct mark *
find_mark(struct marks *all, const uint8_t source[SOURCE_KEY_LEN])
{
	struct mark key;

	memcpy(key.source, source, SOURCE_KEY_LEN);
	return all->n_sorted ? bsearch(&key, all->m, all->n_sorted,
				       sizeof(key), compare_marks)
			     : NULL;
}

static struct mark *
new_mark(struct marks *all, const struct state_newest *now)
{
	char label[LABEL_MAX];
	struct mark *m = marks_add(all);

	memcpy(m->source, now->source, SOURCE_KEY_LEN);
	m->label = xstrdup(err_escape(
		label, sizeof(label), now->label, strlen(now->label)));
	return m;
}

/* The newest point of the source with this key, or HISTORY_NONE. */
static size_t
newest_of(const struct native_listing *nl, const uint8_t key[SOURCE_KEY_LEN])
{
	for (size_t i = 0; nl && i < nl->l.n_sources; i++) {
		const struct history_source *s = &nl->l.sources[i];

		if (!memcmp(nl->source_keys[i], key, SOURCE_KEY_LEN))
			return s->first_point + s->n_points - 1;
	}
	return HISTORY_NONE;
}

/* Whether two listings have the same newest point of a source, or none. */
static bool
same_newest(const struct native_listing *a, const struct native_listing *b,
	const uint8_t key[SOURCE_KEY_LEN])
{
	size_t i = newest_of(a, key), k = newest_of(b, key);

	if (i == HISTORY_NONE || k == HISTORY_NONE)
		return i == k;
	return !strcmp(a->l.points[i].id, b->l.points[k].id);
}

static bool
is_known(const uint8_t hash[HASH_LEN])
{
	static const uint8_t unknown[HASH_LEN];

	return memcmp(hash, unknown, HASH_LEN) != 0;
}

/* One comparison of what is there with the marks. */
struct comparison {
	const struct repository *rp;
	struct marks all;
	char *path;
	state_told *told;
	void *ctx;
	bool changed;
};

static void
begin(struct comparison *c, const struct repository *rp)
{
	auto_free char *below = xasprintf("%s/sources", rp->id_text);

	c->rp = rp;
	c->path = state_dir(below);
	read_marks(c->path, &c->all);
}

static void
end(struct comparison *c)
{
	if (c->changed)
		write_marks(c->path, &c->all);
	marks_release(&c->all);
	free(c->path);
}

/* What is wrong with the newest snapshot of a source; of seq 0: there is none. */
static void
tell(const struct comparison *c, const struct mark *m, uint64_t seq,
	const uint8_t *hash)
{
	struct state_behind b = { m->source, m->label, seq, m->seq, "", c->path };
	char text[ERR_TEXT_MAX + LABEL_MAX];

	b.text = text;
	if (seq == 0)
		snprintf(text, sizeof(text), "%s has no snapshot, but number %"
			PRIu64 " was here before: all were forgotten, or the "
			"store was put back", m->label, m->seq);
	else if (seq < m->seq)
		snprintf(text, sizeof(text), "the newest snapshot of %s is "
			"number %" PRIu64 ", but number %" PRIu64 " was here "
			"before: it was forgotten, or the store was put back",
			m->label, seq, m->seq);
	else if (seq == m->seq && is_known(hash) && is_known(m->hash) &&
		 memcmp(hash, m->hash, HASH_LEN))
		snprintf(text, sizeof(text), "snapshot number %" PRIu64 " of %s "
			"is not the one that was here before", seq, m->label);
	else
		return;
	c->told(c->ctx, &b);
}

/* Compare, and raise the mark. */
static void
compare(struct comparison *c, const struct state_newest *now, bool quiet)
{
	struct mark *m = find_mark(&c->all, now->source);

	if (!m && (!now->label || !now->seq))
		return;
	if (!m)
		m = new_mark(&c->all, now);
	m->seen = true;
	if (!quiet)
		tell(c, m, now->seq, now->hash);
	if (now->seq <= m->seq)
		return;
	m->seq = now->seq;
	memcpy(m->hash, now->hash, HASH_LEN);
	c->changed = true;
}

/* A source that has no snapshot any more; whoever forgot it has said so. */
static void
compare_absent(struct comparison *c, struct mark *m)
{
	uint64_t ended = 0;

	m->over = !ended_number(c->rp, m->source, &ended, NULL) &&
		  ended >= m->seq;
	c->changed |= m->over;
	if (!m->over)
		tell(c, m, 0, NULL);
}

void
state_compare(const struct repository *rp, const struct state_newest *newest,
	size_t n, state_told *told, void *ctx)
{
	struct comparison c = { .told = told, .ctx = ctx };

	begin(&c, rp);
	for (size_t i = 0; i < n; i++)
		compare(&c, &newest[i], false);
	for (size_t i = 0; i < c.all.n; i++) {
		if (!c.all.m[i].seen)
			compare_absent(&c, &c.all.m[i]);
	}
	end(&c);
}

static void
warn(void *ctx, const struct state_behind *b)
{
	const struct repository *rp = ctx;

	log_warn("%s: %s", rp->store->name, b->text);
}

void
state_compare_one(const struct repository *rp, const struct state_newest *now)
{
	struct comparison c = { .told = warn,
		.ctx = (void *)(uintptr_t)rp };

	begin(&c, rp);
	compare(&c, now, false);
	end(&c);
}

void
state_check(const struct repository *rp, const struct native_listing *nl,
	const struct native_listing *before)
{
	struct comparison c = { .told = warn,
		.ctx = (void *)(uintptr_t)rp };

	begin(&c, rp);
	for (size_t i = 0; i < nl->l.n_sources; i++) {
		const struct history_source *s = &nl->l.sources[i];
		size_t newest = s->first_point + s->n_points - 1;
		auto_free char *label = xasprintf("%s/%s", s->host, s->name);
		struct state_newest now = { .seq = nl->l.points[newest].seq,
			.label = label };

		memcpy(now.source, nl->source_keys[i], SOURCE_KEY_LEN);
		memcpy(now.hash, nl->extra[newest].link, HASH_LEN);
		compare(&c, &now,
			before && same_newest(nl, before, now.source));
	}
	for (size_t i = 0; i < c.all.n; i++) {
		struct mark *m = &c.all.m[i];

		if (!m->seen &&
			!(before && same_newest(nl, before, m->source)))
			compare_absent(&c, m);
	}
	end(&c);
}

bool
state_is_behind(const struct repository *rp, const struct native_listing *nl,
	const struct native_listing *before)
{
	auto_free char *below = xasprintf("%s/sources", rp->id_text);
	auto_free char *path = state_dir(below);
	auto_marks struct marks all = { .n = 0 };

	read_marks(path, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct mark *m = &all.m[i];
		size_t newest = newest_of(nl, m->source);

		if ((newest == HISTORY_NONE ||
			    nl->l.points[newest].seq < m->seq) &&
			!(before && same_newest(nl, before, m->source)))
			return true;
	}
	return false;
}

/* -- Pins --------------------------------------------------------------- */

#define COMMITMENT_LEN (HASH_LEN * 2)

struct pin {
	char id[REPOSITORY_ID_LEN * 2 + 1];
	char commitment[COMMITMENT_LEN + 1];
	char seal[8]; /* "sealed" or "open" */
};

static const char *
address_of(const struct store *s)
{
	return s->local_path ? s->local_path : s->name;
}

void
state_address(const struct store *s, char hex[33])
{
	const char *address = address_of(s);
	uint8_t hash[HASH_LEN];

	sha256(address, strlen(address), hash);
	hex_encode(hex, hash, 16);
}

static char *
pin_path(const struct store *s)
{
	char hex[33];
	auto_free char *below = NULL;

	state_address(s, hex);
	below = xasprintf("pins/%s", hex);
	return state_dir(below);
}

static struct pin
pin_of(const struct repository *rp)
{
	static const char label[] = "yore/1/pin";
	uint8_t mac[HASH_LEN];
	struct pin p;

	header_mac(rp->keys, label, sizeof(label) - 1, mac);
	memcpy(p.id, rp->id_text, sizeof(p.id));
	hex_encode(p.commitment, mac, HASH_LEN);
	strcpy(p.seal, rp->sealed ? "sealed" : "open");
	return p;
}

static bool
read_pin(const char *path, struct pin *p)
{
	state_later_wait(path);
	auto_fclose FILE *f = fopen(path, "re");

	return f && fscanf(f, "%32[0-9a-f] %64[0-9a-f] %7[a-z]", p->id,
			    p->commitment, p->seal) == 3;
}

int
state_last_id(const struct store *s, char id[REPOSITORY_ID_LEN * 2 + 1])
{
	auto_free char *path = pin_path(s);
	struct pin p;

	if (!read_pin(path, &p) || strlen(p.id) != sizeof(p.id) - 1)
		return -ENOENT;
	memcpy(id, p.id, sizeof(p.id));
	return 0;
}

static void
write_pin(const struct repository *rp, char *path, const struct pin *p)
{
	auto_buf struct buf b = BUF_INIT;

	buf_printf(&b, "%s %s %s\n%s\n", p->id, p->commitment, p->seal,
		address_of(rp->store));
	state_later(path, &b);
}

void
state_pin_forget(const char *repo)
{
	auto_store struct store *s = NULL;
	auto_free char *path = NULL;

	if (store_open(repo, &s, NULL))
		return;
	path = pin_path(s);
	state_later_wait(path);
	unlink(path);
}

int
state_pin(const struct repository *rp, struct err *e)
{
	auto_free char *path = pin_path(rp->store);
	struct pin now = pin_of(rp), before;
	bool same_id;

	if (!read_pin(path, &before)) {
		write_pin(rp, path, &now);
		return 0;
	}
	same_id = !strcmp(now.id, before.id);
	if (same_id && !strcmp(now.commitment, before.commitment)) {
		if (strcmp(now.seal, before.seal))
			write_pin(rp, path, &now);
		return 0;
	}
	if (same_id || (!strcmp(before.seal, "sealed") && !rp->sealed))
		return err_set(e, EBADMSG,
			"%s: another repository was here before, %s (now %s%s); "
			"if it was replaced on purpose, remove %s",
			rp->store->name, before.id, now.id,
			rp->sealed ? "" : ", which needs no secret", path);
	log_warn("%s: another repository was here before, %s (now %s)",
		rp->store->name, before.id, now.id);
	write_pin(rp, path, &now);
	return 0;
}
