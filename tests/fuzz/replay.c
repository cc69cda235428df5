/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main() of fuzz targets where libFuzzer is not linked: gives a target
 * every file of its corpus, and of each a number of damaged copies, always the
 * same ones.  Finds little that is new; proves that what was found stays fixed.
 *
 *   fuzz_NAME [FILE | DIRECTORY]...   by default tests/fuzz/corpus/NAME
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"

#define DAMAGED_COPIES 200
#define INPUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static uint64_t state = 88172645463325252ULL;
static unsigned long n_inputs;

static size_t
random_below(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return n ? state % n : 0;
}

/* From memory of exactly that size, so that a sanitizer sees any step out. */
static void
give(const uint8_t *data, size_t len)
{
	auto_free uint8_t *copy = xmemdup(data, len);

	LLVMFuzzerTestOneInput(copy, len);
	n_inputs++;
}

static void
give_damaged(const uint8_t *data, size_t len)
{
	auto_free uint8_t *copy = xmemdup(data, len);
	size_t hits = 1 + random_below(4);

	for (size_t i = 0; len && i < hits; i++) {
		size_t at = random_below(len);

		switch (random_below(4)) {
		case 0:
			copy[at] ^= (uint8_t)(1u << random_below(8));
			break;
		case 1:
			copy[at] = (uint8_t)random_below(256);
			break;
		case 2:
			copy[at] = random_below(2) ? 0xff : 0;
			break;
		default:
			len = at;
		}
	}
	give(copy, len);
}

static int
replay_file(const char *path)
{
	auto_free uint8_t *data = xmalloc(INPUT_MAX);
	auto_fclose FILE *f = fopen(path, "rb");
	size_t len;

	if (!f) {
		perror(path);
		return 1;
	}
	len = fread(data, 1, INPUT_MAX, f);
	give(data, len);
	for (int i = 0; i < DAMAGED_COPIES; i++)
		give_damaged(data, len);
	return 0;
}

static int
replay(const char *path)
{
	auto_closedir DIR *dir = opendir(path);
	struct dirent *d;
	int failed = 0;

	if (!dir)
		return errno == ENOTDIR ? replay_file(path) : 0;
	while ((d = readdir(dir))) {
		auto_free char *file = xasprintf("%s/%s", path, d->d_name);

		if (d->d_name[0] != '.')
			failed |= replay_file(file);
	}
	return failed;
}

int
main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	const char *name = strstr(argv[0], "fuzz_");
	auto_free char *corpus = xasprintf("%s/tests/fuzz/corpus/%s",
		top ? top : ".", name ? name + strlen("fuzz_") : "");
	auto_free uint8_t *noise = xcalloc(1, 4096);
	int failed = 0;

	for (int i = 0; i < DAMAGED_COPIES; i++) {
		for (size_t at = 0; at < 4096; at++)
			noise[at] = (uint8_t)random_below(256);
		give(noise, random_below(4096));
	}
	give(noise, 0);
	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	if (argc < 2)
		failed |= replay(corpus);
	printf("%lu inputs\n", n_inputs);
	return failed;
}
