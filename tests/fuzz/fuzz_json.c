/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON from hostile bytes: what is a value can be taken apart to its last
 * piece, each of which is a value; and an array gives the same elements
 * however it comes.
 */
#include <assert.h>
#include <string.h>
#include "repo/foreign/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
take_apart(struct json v, unsigned depth)
{
	auto_buf struct buf text = BUF_INIT;
	struct json again, name = v, el;
	uint64_t n;
	size_t at = 0;

	assert(depth <= JSON_DEPTH_MAX);
	assert(json_check(v.p, v.len, &again, NULL) == 0);
	assert(again.p == v.p && again.len == v.len);
	json_number_of(v, &n);
	if (json_kind(v) == JSON_STRING) {
		json_bytes_of(v, &text);
		assert(text.len <= v.len - 2);
	}
	if (json_kind(v) < JSON_ARRAY)
		return;
	while (json_next(v, &at, &name, &el)) {
		if (json_kind(v) == JSON_OBJECT)
			assert(json_kind(name) == JSON_STRING);
		take_apart(el, depth + 1);
	}
}

struct drip {
	const uint8_t *in;
	size_t len, at, step;
	size_t n_elements, sum;
};

static ssize_t
drip_read(void *ctx, void *to, size_t len, struct err *e)
{
	struct drip *d = ctx;
	size_t n = d->len - d->at;

	(void)e;
	n = n < d->step ? n : d->step;
	n = n < len ? n : len;
	memcpy(to, d->in + d->at, n);
	d->at += n;
	return (ssize_t)n;
}

static int
note(void *ctx, struct json el, uint64_t off, struct err *e)
{
	struct drip *d = ctx;

	(void)e;
	assert(off + el.len <= d->len);
	assert(!memcmp(d->in + off, el.p, el.len));
	d->n_elements++;
	d->sum += off * 31 + el.len;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct drip whole = { .in = in, .len = len, .step = len + 1 };
	struct drip bits = { .in = in, .len = len, .step = 3 };
	struct json_source s = { .read = drip_read };
	struct json v;
	int is_value = json_check(in, len, &v, NULL);

	if (is_value == 0)
		take_apart(v, 0);
	s.ctx = &whole;
	int r = json_elements(&s, len, note, &whole, NULL);
	s.ctx = &bits;
	assert(r == json_elements(&s, len, note, &bits, NULL));
	assert(whole.n_elements == bits.n_elements && whole.sum == bits.sum);
	/* one bracket less deep */
	if (is_value == 0)
		assert((r == 0) == (json_kind(v) == JSON_ARRAY));
	return 0;
}
