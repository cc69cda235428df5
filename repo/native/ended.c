/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/ended.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/bytes.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"

#define PREFIX "gc/end/"
#define SEQ_DIGITS 12
#define LABEL "yore/1/end"

static void
print_prefix(char out[ENDED_NAME_MAX], const uint8_t source[SOURCE_KEY_LEN])
{
	char hex[SOURCE_KEY_LEN * 2 + 1];

	snprintf(out, ENDED_NAME_MAX, PREFIX "%s/",
		hex_encode(hex, source, SOURCE_KEY_LEN));
}

void
ended_name(char name[ENDED_NAME_MAX], const uint8_t source[SOURCE_KEY_LEN],
	uint64_t seq)
{
	char prefix[ENDED_NAME_MAX];

	print_prefix(prefix, source);
	snprintf(name, ENDED_NAME_MAX, "%.40s%012" PRIu64, prefix, seq);
}

void
ended_proof(const struct keyring *keys, const uint8_t source[SOURCE_KEY_LEN],
	uint64_t seq, uint8_t proof[ENDED_LEN])
{
	auto_buf struct buf b = BUF_INIT;

	buf_append(&b, LABEL, strlen(LABEL));
	buf_append(&b, source, SOURCE_KEY_LEN);
	put_be64(buf_zeros(&b, 8), seq);
	header_mac(keys, b.data, b.len, proof);
}

struct numbers {
	uint64_t *n;
	size_t count, cap;
};

/* In the order of names, which is that of numbers. */
static bool
add(void *ctx, const char *name, uint64_t size)
{
	struct numbers *all = ctx;
	const char *digits = strrchr(name, '/') + 1;

	(void)size;
	if (strlen(digits) != SEQ_DIGITS ||
		strspn(digits, "0123456789") != SEQ_DIGITS)
		return true;
	if (all->count == all->cap) {
		all->cap = all->cap ? 2 * all->cap : 4;
		all->n = xrealloc(all->n, all->cap * sizeof(*all->n));
	}
	all->n[all->count++] = strtoull(digits, NULL, 10);
	return true;
}

/* 0, or -EBADMSG: it proves nothing. */
static int
verify(const struct repository *rp, const uint8_t source[SOURCE_KEY_LEN],
	uint64_t seq, struct err *e)
{
	auto_free uint8_t *bytes = NULL;
	uint8_t proof[ENDED_LEN];
	char name[ENDED_NAME_MAX];
	size_t len = 0;
	int r;

	ended_name(name, source, seq);
	ended_proof(rp->keys, source, seq, proof);
	r = store_get_all(rp->store, name, ENDED_LEN, &bytes, &len, e);
	if (r && r != -EUCLEAN)
		return r;
	if (!r && len == ENDED_LEN && !memcmp(bytes, proof, ENDED_LEN))
		return 0;
	return err_set(e, EBADMSG, "%s: is not what was written", name);
}

int
ended_number(const struct repository *rp, const uint8_t source[SOURCE_KEY_LEN],
	uint64_t *seq, struct err *e)
{
	struct numbers all = { .n = NULL };
	char prefix[ENDED_NAME_MAX];
	int r;

	*seq = 0;
	print_prefix(prefix, source);
	r = store_list_names(rp->store, prefix, "", add, &all, e);
	while (!r && !*seq && all.count) {
		struct err why = ERR_INIT;
		uint64_t n = all.n[--all.count];
		int bad = verify(rp, source, n, &why);

		if (!bad)
			*seq = n;
		else if (bad == -EBADMSG || bad == -ENOENT)
			log_warn("%s", why.text);
		else
			r = bad;
		if (r && e)
			*e = why;
	}
	free(all.n);
	return r;
}
