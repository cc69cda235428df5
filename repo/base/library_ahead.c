/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/library_ahead.h"

#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"

typedef ElfW(Ehdr) elf_header;
typedef ElfW(Phdr) segment;

#define HEADERS_MAX 2048

/* What the loader does with a segment, in this order; what unwinds exceptions is
 * of no use here. */
enum use {
	USE_RELOCATED,
	USE_RELOCATIONS,
	USE_CODE,
	USE_CONSTANTS,
	USES,
	USE_UNWIND,
	USE_NONE
};

static enum use
use_of(const segment *s)
{
	if (s->p_type == PT_GNU_EH_FRAME)
		return USE_UNWIND;
	if (s->p_type != PT_LOAD)
		return USE_NONE;
	if (s->p_flags & PF_W)
		return USE_RELOCATED;
	if (s->p_flags & PF_X)
		return USE_CODE;
	return s->p_offset ? USE_CONSTANTS : USE_RELOCATIONS;
}

static const segment *
find(const segment *all, size_t n, enum use use)
{
	for (size_t i = 0; i < n; i++) {
		if (use_of(&all[i]) == use)
			return &all[i];
	}
	return NULL;
}

/* Where `s` ends, or what unwinds begins in it. */
static off_t
end_of(const segment *s, const segment *unwind)
{
	if (unwind && unwind->p_offset > s->p_offset &&
		unwind->p_offset - s->p_offset < s->p_filesz)
		return (off_t)unwind->p_offset;
	return (off_t)(s->p_offset + s->p_filesz);
}

static void
ask(int fd, const segment *all, size_t n)
{
	const segment *unwind = find(all, n, USE_UNWIND), *s;

	for (enum use use = 0; use < USES; use++) {
		s = find(all, n, use);
		if (s)
			posix_fadvise(fd, (off_t)s->p_offset,
				end_of(s, unwind) - (off_t)s->p_offset,
				POSIX_FADV_WILLNEED);
	}
}

/* Whether the segments follow at once, as they do. */
static bool
is_known(const elf_header *h, size_t len)
{
	return !memcmp(h->e_ident, ELFMAG, SELFMAG) &&
	       h->e_phoff == sizeof(*h) && h->e_phentsize == sizeof(segment) &&
	       h->e_phnum <= (len - sizeof(*h)) / sizeof(segment);
}

/* The C library is among its like. */
static int
find_directory(struct dl_phdr_info *info, size_t size, void *dir)
{
	const char *slash = strrchr(info->dlpi_name, '/');
	char **found = dir;

	(void)size;
	if (!slash || strncmp(slash, "/libc.so.", 9) != 0)
		return 0;
	*found = xasprintf("%.*s", (int)(slash - info->dlpi_name),
		info->dlpi_name);
	return 1;
}

void
library_ahead(const char *file)
{
	union {
		elf_header elf;
		uint8_t bytes[HEADERS_MAX];
	} h;
	auto_free char *dir = NULL, *path = NULL;
	auto_close int fd = -1;
	ssize_t len;

	if (!dl_iterate_phdr(find_directory, &dir))
		return;
	path = xasprintf("%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* A read that had to wait would have more read behind it. */
	posix_fadvise(fd, 0, HEADERS_MAX, POSIX_FADV_WILLNEED);
	len = pread(fd, &h, sizeof(h), 0);
	if (len >= (ssize_t)sizeof(h.elf) && is_known(&h.elf, (size_t)len))
		ask(fd, (const void *)(h.bytes + sizeof(h.elf)), h.elf.e_phnum);
}
