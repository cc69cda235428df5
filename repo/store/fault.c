/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan, and the reading half; sink_fault.c is the writing one. */
#include "repo/store/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/store/fault_plan.h"

#define RULES_MAX 16
#define DELAY_MS 200
#define DELAY_MAX_MS 3600000

struct rule {
	enum fault_kind kind;
	uint64_t at;
	bool onwards;
	unsigned delay_ms;
};

struct fault {
	atomic_ullong calls;
	atomic_bool happened;
	/* immutable */
	struct rule rules[RULES_MAX];
	size_t n_rules;
};

/* -- Parsing ------------------------------------------------------------- */

static const struct {
	const char *name;
	enum fault_kind kind;
} kinds[] = {
	{ "eio", FAULT_EIO },
	{ "enospc", FAULT_ENOSPC },
	{ "enoent", FAULT_ENOENT },
	{ "short", FAULT_SHORT },
	{ "flip", FAULT_FLIP },
	{ "delay", FAULT_DELAY },
	{ "kill", FAULT_KILL },
};

/* A decimal number up to max at *p, which moves behind it. */
static bool
parse_number(const char **p, uint64_t max, uint64_t *out)
{
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	*out = strtoull(*p, &end, 10);
	*p = end;
	return errno == 0 && *out <= max;
}

static bool
parse_kind(const char **p, struct rule *r)
{
	size_t len = strcspn(*p, "=@,");
	uint64_t ms = DELAY_MS;

	for (size_t i = 0; i < n_elements(kinds); i++)
		if (strlen(kinds[i].name) == len &&
			strncmp(*p, kinds[i].name, len) == 0)
			r->kind = kinds[i].kind;
	*p += len;
	if (r->kind == FAULT_DELAY && **p == '=') {
		++*p;
		if (!parse_number(p, DELAY_MAX_MS, &ms))
			return false;
	}
	r->delay_ms = (unsigned)ms;
	return r->kind != FAULT_NONE;
}

static bool
parse_rule(const char **p, struct rule *r)
{
	if (!parse_kind(p, r) || *(*p)++ != '@')
		return false;
	if (!parse_number(p, UINT64_MAX, &r->at) || r->at == 0)
		return false;
	r->onwards = **p == '+';
	*p += r->onwards;
	return **p == ',' || **p == '\0';
}

int
fault_new(const char *spec, struct fault **f, struct err *e)
{
	auto_free struct fault *new = xcalloc(1, sizeof(*new));

	for (const char *p = spec;; p++) {
		const char *rule = p;

		if (new->n_rules == RULES_MAX)
			return err_set(e, EINVAL, "fault: more than %d rules",
				RULES_MAX);
		if (!parse_rule(&p, &new->rules[new->n_rules++]))
			return err_set(e, EINVAL,
				"fault: \"%s\" is not "
				"KIND@N[+], KIND one of eio enospc enoent "
				"short flip delay kill",
				rule);
		if (*p == '\0')
			break;
	}
	*f = steal(new);
	return 0;
}

void
fault_free(struct fault *f)
{
	free(f);
}

static int
shared_fault(const char *spec, struct fault **f, struct err *e)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct fault *shared;
	static char *shared_spec;
	auto_lock(&lock);

	if (shared && strcmp(spec, shared_spec) != 0)
		return err_set(e, EINVAL,
			"fault: one process has one spec, not both %s and %s",
			shared_spec, spec);
	if (!shared) {
		int r = fault_new(spec, &shared, e);

		if (r < 0)
			return r;
		shared_spec = xstrdup(spec);
	}
	*f = shared;
	return 0;
}

int
fault_parse_repo(
	const char *arg, struct fault **f, const char **repo, struct err *e)
{
	*f = NULL;
	*repo = arg;
	if (!arg || strncmp(arg, "fault:", 6) != 0)
		return 0;
	auto_free char *spec = xstrdup(arg + 6);
	size_t len = strcspn(spec, ":");

	if (spec[len] == '\0')
		return err_set(e, EINVAL, "%s is not fault:SPEC:REPO", arg);
	spec[len] = '\0';
	*repo = arg + 6 + len + 1;
	return shared_fault(spec, f, e);
}

/* -- Counting ------------------------------------------------------------ */

uint64_t
fault_calls(const struct fault *f)
{
	return atomic_load(&f->calls);
}

bool
fault_happened(const struct fault *f)
{
	return atomic_load(&f->happened);
}

static void
wait_ms(unsigned ms)
{
	struct timespec t = { .tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static enum fault_kind
happen(struct fault *f, const struct rule *r)
{
	atomic_store(&f->happened, true);
	if (r->kind == FAULT_KILL)
		raise(SIGKILL);
	if (r->kind != FAULT_DELAY)
		return r->kind;
	wait_ms(r->delay_ms);
	return FAULT_NONE;
}

enum fault_kind
fault_next(struct fault *f)
{
	uint64_t call = atomic_fetch_add(&f->calls, 1) + 1;

	for (size_t i = 0; i < f->n_rules; i++) {
		const struct rule *r = &f->rules[i];

		if (call == r->at || (r->onwards && call > r->at))
			return happen(f, r);
	}
	return FAULT_NONE;
}

int
fault_error(enum fault_kind kind, const char *name, struct err *e)
{
	if (kind == FAULT_ENOENT)
		return err_set(
			e, ENOENT, "%s does not exist (injected fault)", name);
	return err_sys(e, kind == FAULT_ENOSPC ? ENOSPC : EIO,
		"%s (injected fault)", name);
}

bool
fault_fails(enum fault_kind kind)
{
	return kind == FAULT_EIO || kind == FAULT_ENOSPC ||
	       kind == FAULT_ENOENT;
}

/* -- The store ----------------------------------------------------------- */

struct faulty_store {
	struct store store;
	struct store *inner;
	struct fault *fault;
};

static struct faulty_store *
faulty_of(struct store *s)
{
	return (struct faulty_store *)s;
}

static int
faulty_get(struct store *s, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, const struct store_call *call, struct err *e)
{
	struct faulty_store *fs = faulty_of(s);
	enum fault_kind kind = fault_next(fs->fault);
	size_t n = 0;

	if (fault_fails(kind))
		return fault_error(kind, name, e);
	if (kind == FAULT_NONE)
		return store_get_call(
			fs->inner, name, off, len, buf, got, call, e);
	int r = store_get_call(fs->inner, name, off, len, buf, &n, call, e);

	if (r < 0)
		return r;
	if (n == 0)
		return fault_error(kind, name, e);
	if (kind == FAULT_SHORT)
		n /= 2;
	else
		((uint8_t *)buf)[n / 2] ^= 0x10;
	if (got)
		*got = n;
	else if (n < len)
		return err_set(e, EBADMSG,
			"%s is cut off: %zu of %zu bytes at %llu", name, n, len,
			(unsigned long long)off);
	return 0;
}

static int
faulty_size(struct store *s, const char *name, uint64_t *size, struct err *e)
{
	struct faulty_store *fs = faulty_of(s);
	enum fault_kind kind = fault_next(fs->fault);

	if (fault_fails(kind))
		return fault_error(kind, name, e);
	int r = store_size(fs->inner, name, size, e);

	if (r == 0 && kind == FAULT_SHORT)
		*size /= 2;
	else if (r == 0 && kind == FAULT_FLIP)
		*size ^= 0x10;
	return r;
}

struct faulty_each {
	bool (*each)(void *ctx, const char *name, uint64_t size);
	void *ctx;
	enum fault_kind kind;
	bool done;
};

static bool
each_faulty(void *ctx, const char *name, uint64_t size)
{
	struct faulty_each *x = ctx;

	if (x->kind == FAULT_FLIP && !x->done)
		size ^= 0x10;
	x->done = true;
	return x->each(x->ctx, name, size) && x->kind != FAULT_SHORT;
}

static int
faulty_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	struct faulty_store *fs = faulty_of(s);
	struct faulty_each x = {
		.each = each, .ctx = ctx, .kind = fault_next(fs->fault)
	};

	if (fault_fails(x.kind))
		return fault_error(x.kind, prefix, e);
	int r = store_list(fs->inner, prefix, after, each_faulty, &x, e);

	if (r == 0 && x.kind != FAULT_NONE && !x.done)
		return fault_error(x.kind, prefix, e);
	return r;
}

struct faulty_object {
	bool (*each)(void *ctx, const struct store_object *o);
	void *ctx;
	enum fault_kind kind;
	bool done;
};

static bool
each_faulty_object(void *ctx, const struct store_object *o)
{
	struct faulty_object *x = ctx;
	struct store_object spoilt = *o;

	if (x->kind == FAULT_FLIP && !x->done)
		spoilt.size ^= 0x10;
	x->done = true;
	return x->each(x->ctx, &spoilt) && x->kind != FAULT_SHORT;
}

static int
faulty_list_objects(struct store *s, const struct store_query *q,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	struct faulty_store *fs = faulty_of(s);
	struct faulty_object x = {
		.each = each, .ctx = ctx, .kind = fault_next(fs->fault)
	};
	int r;

	if (fault_fails(x.kind))
		return fault_error(x.kind, q->prefix, e);
	r = q->folder ? store_list_folder(
				fs->inner, q->prefix, each_faulty_object, &x, e)
		      : store_list_objects(fs->inner, q->prefix, q->after,
				each_faulty_object, &x, e);
	if (r == 0 && x.kind != FAULT_NONE && !x.done)
		return fault_error(x.kind, q->prefix, e);
	return r;
}

static int
faulty_metadata(struct store *s, const char *name, const char *key, char *out,
	size_t size, struct err *e)
{
	struct faulty_store *fs = faulty_of(s);
	enum fault_kind kind = fault_next(fs->fault);

	if (kind != FAULT_NONE)
		return fault_error(kind, name, e);
	return store_metadata(fs->inner, name, key, out, size, e);
}

static void
faulty_stats(struct store *s, struct store_stats *st)
{
	store_stats(faulty_of(s)->inner, st);
}

static void
faulty_free(struct store *s)
{
	store_free(faulty_of(s)->inner);
	free(s->name);
	free(s->local_path);
	free(s);
}

static const struct store_ops faulty_ops = {
	.get = faulty_get,
	.size = faulty_size,
	.list = faulty_list,
	.list_objects = faulty_list_objects,
	.metadata = faulty_metadata,
	.stats = faulty_stats,
	.free = faulty_free,
};

struct store *
fault_store(struct fault *f, struct store *inner)
{
	struct faulty_store *fs = xcalloc(1, sizeof(*fs));

	fs->store.ops = &faulty_ops;
	fs->store.name = xstrdup(inner->name);
	if (inner->local_path)
		fs->store.local_path = xstrdup(inner->local_path);
	fs->store.foreign = inner->foreign;
	fs->inner = inner;
	fs->fault = f;
	return &fs->store;
}
