/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints a repository as decode.py does, by our own reading:
 *   list REPO [passphrase FILE | key FILE]
 */
#include <errno.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/crypto/slot.h"
#include "repo/open.h"
#include "tests/golden/image.h"

static int
read_secret(void *ctx, struct slot_secret *out, struct err *e)
{
	static char bytes[4096];
	char **how = ctx;
	auto_fclose FILE *f = fopen(how[1], "rb");

	if (!f)
		return err_sys(e, errno, "%s: cannot open", how[1]);
	out->len = fread(bytes, 1, sizeof(bytes), f);
	out->bytes = bytes;
	out->type = strcmp(how[0], "key") ? SLOT_SCRYPT : SLOT_KEYFILE;
	if (out->type == SLOT_SCRYPT && out->len && bytes[out->len - 1] == '\n')
		out->len--;
	return 0;
}

int
main(int argc, char **argv)
{
	struct history_open_options o = {
		.secret = argc == 4 ? read_secret : NULL, .ctx = argv + 2
	};
	struct history *h = NULL;
	struct image im = { .n = 0 };
	struct err e = ERR_INIT;
	int r;

	if (argc != 2 && argc != 4) {
		fprintf(stderr, "usage: list REPO [passphrase|key FILE]\n");
		return 2;
	}
	r = history_open_repository(argv[1], &o, &h, &e);
	if (!r) {
		r = image_take(h, &im, &e);
		history_free(h);
	}
	if (r)
		fprintf(stderr, "list: %s\n", e.text);
	else
		image_print(&im, stdout);
	image_release(&im);
	return r ? 1 : 0;
}
