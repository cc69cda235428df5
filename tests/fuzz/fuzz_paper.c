/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever is read as a paper key is the same when it is written and read anew;
 * what is refused leaves nothing behind. */
#include <assert.h>
#include <string.h>
#include "repo/format/paper.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static const struct paper nothing;
	char text[PAPER_TEXT_MAX];
	struct paper p, back;
	size_t n;

	if (paper_decode((const char *)in, len, &p, NULL)) {
		assert(!memcmp(&p, &nothing, sizeof(p)));
		return 0;
	}
	n = paper_encode(&p, text);
	assert(n < sizeof(text) && strlen(text) == n);
	assert(paper_decode(text, n, &back, NULL) == 0);
	assert(!memcmp(&p, &back, sizeof(p)));
	return 0;
}
