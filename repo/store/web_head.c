/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/web_head.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/base/bytes.h"

static const char first_line[] = "yore-head 1\n";

/* SIZE NAME\n at the cursor. */
static bool
take_line(struct reader *r, uint64_t *size, char name[STORE_NAME_MAX + 1])
{
	const uint8_t *end = memchr(r->p, '\n', reader_left(r));
	const uint8_t *space = memchr(r->p, ' ', reader_left(r));

	if (!end || !space || space > end || space - r->p > 19 ||
		space == r->p || end - space - 1 > STORE_NAME_MAX)
		return false;
	*size = 0;
	for (; r->p < space; r->p++) {
		if (*r->p < '0' || *r->p > '9')
			return false;
		*size = *size * 10 + (*r->p - '0');
	}
	memcpy(name, space + 1, (size_t)(end - space - 1));
	name[end - space - 1] = '\0';
	r->p = end + 1;
	return store_name_ok(name);
}

int
web_head_list(const void *text, size_t len, const struct web_head_filter *f,
	struct err *e)
{
	const size_t first = sizeof(first_line) - 1;
	struct reader r = reader_of(text, len);
	char name[STORE_NAME_MAX + 1], last[STORE_NAME_MAX + 1] = "";
	uint64_t size;

	if (len < first || memcmp(text, first_line, first) != 0)
		return err_set(e, EUCLEAN, "not what \"yore head\" prints");
	r.p += first;
	while (reader_left(&r) > 0) {
		if (!take_line(&r, &size, name) || strcmp(name, last) <= 0)
			return err_set(e, EUCLEAN,
				"broken after the line of \"%s\"", last);
		memcpy(last, name, sizeof(last));
		if (strncmp(name, f->prefix, strlen(f->prefix)) == 0 &&
			strcmp(name, f->after) > 0 &&
			!f->each(f->ctx, name, size))
			return 0;
	}
	return 0;
}

struct printing {
	FILE *out;
	char last[STORE_NAME_MAX + 1]; /* of those that are printed once a */
	bool once;		       /* directory, if this is set */
};

/* Whether two names lie in one directory. */
static bool
same_directory(const char *a, const char *b)
{
	size_t len = (size_t)(strrchr(a, '/') - a) + 1;

	return strncmp(a, b, len) == 0;
}

static bool
print_line(void *ctx, const char *name, uint64_t size)
{
	struct printing *p = ctx;

	if (p->once && *p->last && same_directory(name, p->last))
		return true;
	snprintf(p->last, sizeof(p->last), "%s", name);
	fprintf(p->out, "%" PRIu64 " %s\n", size, name);
	return !ferror(p->out);
}

int
web_head_print(struct store *s, FILE *out, struct err *e)
{
	static const char *const listed[] = { "cat/", "db/", "idx/", "keys/",
		"snap/" };
	struct printing p = { .out = out };
	int r = 0;

	fputs(first_line, out);
	for (size_t i = 0; i < n_elements(listed) && r == 0; i++) {
		p.once = strcmp(listed[i], "db/") == 0;
		r = store_list(s, listed[i], "", print_line, &p, e);
	}
	if (r == 0 && (fflush(out) != 0 || ferror(out)))
		r = err_sys(e, errno ? errno : EIO, "cannot write the head");
	return r;
}
