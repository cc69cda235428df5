/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include "repo/format/paper.h"

/* Made by hand from FORMAT, with Python's hashlib. */
static const char plain[] =
	"yore-key 1\n"
	"repository 000102030405060708090a0b0c0d0e0f\n"
	"kind plain\n"
	" 1  a0a1 a2a3 a4a5 a6a7  085c\n"
	" 2  a8a9 aaab acad aeaf  b76f\n"
	" 3  b0b1 b2b3 b4b5 b6b7  7ef6\n"
	" 4  b8b9 babb bcbd bebf  7d36\n"
	"sum 109e c038\n";

static struct paper
sample(bool sealed)
{
	struct paper p = { .sealed = sealed };

	for (unsigned i = 0; i < REPOSITORY_ID_LEN; i++)
		p.repository_id[i] = (uint8_t)i;
	for (unsigned i = 0; i < (sealed ? SLOT_LEN : KEY_LEN); i++)
		p.bytes[i] = (uint8_t)(0xa0 + i);
	return p;
}

static void
the_text_is_as_specified(void **state)
{
	struct paper p = sample(false);
	char text[PAPER_TEXT_MAX];

	(void)state;
	assert_int_equal(paper_encode(&p, text), sizeof(plain) - 1);
	assert_string_equal(text, plain);
}

static void
what_was_written_is_read(void **state)
{
	(void)state;
	for (int sealed = 0; sealed < 2; sealed++) {
		struct paper p = sample(sealed), q;
		char text[PAPER_TEXT_MAX];
		size_t n = paper_encode(&p, text);

		assert_int_equal(paper_decode(text, n, &q, NULL), 0);
		assert_memory_equal(&p, &q, sizeof(p));
		/* the last line's end is not missed, all else is */
		assert_int_equal(paper_decode(text, n - 1, &q, NULL), 0);
		for (size_t cut = 0; cut < n - 1; cut++)
			assert_int_equal(
				paper_decode(text, cut, &q, NULL), -EINVAL);
	}
}

/* Every digit changed, every line missing or doubled is noticed. */
static void
mistakes_are_found(void **state)
{
	struct paper p = sample(true), q;
	struct paper nothing = { .sealed = false };
	char text[PAPER_TEXT_MAX];
	size_t n = paper_encode(&p, text);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char was = text[i];

		if (was == ' ' || was == '\n')
			continue;
		text[i] = was == '7' ? '8' : '7';
		assert_int_equal(paper_decode(text, n, &q, NULL), -EINVAL);
		assert_memory_equal(&q, &nothing, sizeof(q));
		text[i] = was;
	}
	assert_int_equal(paper_decode(text, n, &q, NULL), 0);
}

static void
any_bytes_are_refused_or_read(void **state)
{
	char text[PAPER_TEXT_MAX];
	struct paper q;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(paper_decode(text, sizeof(text), &q, NULL), -EINVAL);
	memset(text, 0xff, sizeof(text));
	assert_int_equal(paper_decode(text, sizeof(text), &q, NULL), -EINVAL);
	memset(text, '\n', sizeof(text));
	assert_int_equal(paper_decode(text, sizeof(text), &q, NULL), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_is_as_specified),
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(mistakes_are_found),
		cmocka_unit_test(any_bytes_are_refused_or_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
