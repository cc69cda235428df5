/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of a library before it is loaded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include "repo/base/library_ahead.h"

#define ASKED_MAX 16
#define PAGE 4096

static struct asked {
	uint64_t from, to;
} asked[ASKED_MAX];
static size_t n_asked;

int __wrap_posix_fadvise64(int fd, off_t off, off_t len, int advice);

int
__wrap_posix_fadvise64(int fd, off_t off, off_t len, int advice)
{
	(void)fd;
	assert_int_equal(advice, POSIX_FADV_WILLNEED);
	assert_true(n_asked < ASKED_MAX && off >= 0 && len > 0);
	asked[n_asked++] = (struct asked){ (uint64_t)off,
		(uint64_t)off + (uint64_t)len };
	return 0;
}

/* The number of what was asked that has this byte of the file, or n_asked. */
static size_t
asked_at(uint64_t off)
{
	size_t i = 0;

	while (i < n_asked && (off < asked[i].from || off >= asked[i].to))
		i++;
	return i;
}

static bool is_looked_at;

static int
look_at(struct dl_phdr_info *info, size_t size, void *file)
{
	const ElfW(Phdr) *data = NULL, *code = NULL, *unwind = NULL;

	(void)size;
	if (!strstr(info->dlpi_name, file))
		return 0;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *s = &info->dlpi_phdr[i];

		if (s->p_type == PT_GNU_EH_FRAME)
			unwind = s;
		else if (s->p_type == PT_LOAD && (s->p_flags & PF_W))
			data = s;
		else if (s->p_type == PT_LOAD && (s->p_flags & PF_X))
			code = s;
	}
	assert_true(data && code && unwind);
	/* What is relocated, and how, then code, and nothing else. */
	assert_true(asked_at(data->p_offset) < asked_at(code->p_offset));
	assert_true(asked_at(2 * PAGE) < asked_at(code->p_offset));
	assert_true(asked_at(code->p_offset + code->p_filesz - 1) < n_asked);
	assert_int_equal(asked_at(unwind->p_offset), n_asked);
	assert_int_equal(asked_at(data->p_offset - 1), n_asked);
	is_looked_at = true;
	return 1;
}

static void
a_library_is_read_as_the_loader_needs_it(void **state)
{
	char file[] = CRYPTO_LIBRARY;

	(void)state;
	n_asked = 0;
	library_ahead(file);
	assert_non_null(dlopen(file, RTLD_NOW));
	dl_iterate_phdr(look_at, file);
	assert_true(is_looked_at);
}

static void
nothing_else_is_read(void **state)
{
	(void)state;
	n_asked = 0;
	library_ahead("libnot-there.so.1");
	assert_int_equal(n_asked, 0);
	library_ahead("../../../etc/passwd");
	assert_true(n_asked <= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_library_is_read_as_the_loader_needs_it),
		cmocka_unit_test(nothing_else_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
