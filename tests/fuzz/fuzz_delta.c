/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of a delta: whatever is taken encodes again to a record that says
 * the same, stays within its object, and leads down to the base.  Then leaves
 * of places and of times, and a set: runs ascend and stay in their span.
 */
#include <stdlib.h>
#include "repo/format/delta.h"
#include "repo/format/delta_places.h"
#include "repo/format/delta_times.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
check_chain(const struct delta_record *r, const struct delta_tail *t)
{
	uint64_t n = r->n;

	for (unsigned i = 0; i < r->n_chain; i++) {
		n = delta_before(n);
		must(r->chain[i].n == n);
		must(r->chain[i].writer < r->n_writers);
		must(r->chain[i].time_ns <= r->time_ns);
		must(r->chain[i].tail.places_off <= r->chain[i].tail.set_off);
		must(r->chain[i].tail.set_off <= r->chain[i].tail.record_off);
		must(r->chain[i].tail.record_off < r->chain[i].tail.len);
	}
	must(delta_before(n) == 0);
	must(t->places_off <= t->set_off && t->set_off <= t->record_off);
}

static void
check_leaves(const struct delta_leaves *l, const struct delta_tail *t)
{
	must(l->whole || l->n > 0);
	for (uint32_t i = 0; i < l->n; i++) {
		must(l->leaf[i].off + l->leaf[i].len <= t->record_off);
		must(i == 0 || l->leaf[i].off ==
				       l->leaf[i - 1].off + l->leaf[i - 1].len);
	}
}

static void
fuzz_record(const uint8_t *data, size_t len)
{
	struct delta_tail tail = { .len = 1u << 20,
		.record_off = (1u << 20) - 4096 };
	struct delta_tail again_tail = tail;
	auto_delta_record struct delta_record r = { .n = 0 };
	auto_delta_record struct delta_record again = { .n = 0 };
	auto_buf struct buf b = BUF_INIT, twice = BUF_INIT;

	if (delta_record_decode(data, len, &r, &tail, NULL))
		return;
	must(r.n > 0 && r.n <= DELTA_N_MAX);
	must(database_page_size_ok(r.state.page_size));
	check_chain(&r, &tail);
	check_leaves(&r.places, &tail);
	check_leaves(&r.times, &tail);
	delta_record_encode(&r, &b);
	must(!delta_record_decode(b.data, b.len, &again, &again_tail, NULL));
	delta_record_encode(&again, &twice);
	must(b.len == twice.len && !memcmp(b.data, twice.data, b.len));
	must(again_tail.places_off == tail.places_off &&
		again_tail.first_len == tail.first_len);
}

static void
fuzz_places(uint64_t n, uint32_t page, const uint8_t *data, size_t len)
{
	struct delta_places p;
	struct delta_run run;
	uint64_t next = 1;
	bool passed = false;
	int r;

	if (delta_places_open(&p, n, data, len, NULL))
		return;
	delta_places_seek(&p, 0);
	while ((r = delta_places_next(&p, &run, NULL)) == 1) {
		must(run.count > 0 && run.first >= next);
		next = (uint64_t)run.first + run.count;
		must(next <= UINT32_MAX);
		must(run.zeros || (run.n > delta_before(n) && run.n <= n &&
					  run.slot + run.count <=
						  DELTA_SLOTS_MAX));
		passed |= run.first <= page && page < next;
	}
	must(r <= 0);
	/* what walking finds, seeking finds */
	delta_places_seek(&p, page);
	while (r == 0 && passed && delta_places_next(&p, &run, NULL) == 1) {
		must(run.first <= page);
		passed = page >= run.first + run.count;
	}
	must(r < 0 || !passed);
}

static void
fuzz_times(uint64_t n, const uint8_t *data, size_t len)
{
	struct delta_times t;
	struct delta_time now, last = { .time_ns = INT64_MIN };
	int r;

	delta_times_open(&t, n, data, len);
	while ((r = delta_times_next(&t, &now, NULL)) == 1) {
		must(now.n == n++ && now.n <= DELTA_N_MAX);
		must(now.time_ns >= last.time_ns);
		must(now.record_off >= OBJECT_HEADER_LEN);
		must(now.record_off + DELTA_TRAILER_LEN < now.len);
		last = now;
	}
	must(r <= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct delta_trailer t;
	uint32_t n, page;

	if (len >= DELTA_TRAILER_LEN)
		(void)delta_trailer_decode(data, &t, NULL);
	if (len < 9)
		return 0;
	n = 1 + get_be32(data + 1) % DELTA_N_MAX;
	page = 1 + get_be32(data + 5) % 1000;
	switch (data[0] % 4) {
	case 0:
		fuzz_record(data + 1, len - 1);
		break;
	case 1:
		fuzz_places(n, page, data + 9, len - 9);
		break;
	case 2:
		fuzz_times(n, data + 9, len - 9);
		break;
	default:
		(void)delta_set_may_have(data + 9, len - 9, page, n);
	}
	return 0;
}
