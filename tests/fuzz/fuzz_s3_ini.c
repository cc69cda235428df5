/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A value is one trimmed line, and is found again behind a section of another
 * name.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/store/s3_ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static const char other[] = "[other]\nkey = wrong\n";
	auto_free char *value = s3_ini_value((const char *)in, len, "a", "key");
	auto_buf struct buf b = BUF_INIT;

	buf_append(&b, other, strlen(other));
	buf_append(&b, in, len);
	auto_free char *again =
		s3_ini_value((const char *)b.data, b.len, "a", "key");

	assert(!value == !again);
	if (!value)
		return 0;
	assert(strcmp(value, again) == 0);
	assert(!strchr(value, '\n') && strlen(value) < len);
	assert(*value != ' ' && *value != '\t');
	return 0;
}
