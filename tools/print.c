/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"

char *
print_escaped(const char *name, size_t len)
{
	size_t size = 4 * len + 1;

	return err_escape(xmalloc(size), size, name, len);
}

void
print_name(const char *name, size_t len, bool raw)
{
	char small[1024];

	if (raw) {
		fwrite(name, 1, len, stdout);
	} else if (4 * len < sizeof(small)) {
		fputs(err_escape(small, sizeof(small), name, len), stdout);
	} else {
		auto_free char *escaped = print_escaped(name, len);

		fputs(escaped, stdout);
	}
}

void
print_end(bool raw)
{
	putchar(raw ? '\0' : '\n');
}

const char *
print_size(char out[PRINT_MAX], uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB",
		"PiB", "EiB" };
	double v = (double)bytes;
	size_t u = 0;

	for (; v >= 1023.95 && u < n_elements(units) - 1; u++)
		v /= 1024;
	snprintf(out, PRINT_MAX, u ? "%.1f %s" : "%.0f %s", v, units[u]);
	return out;
}

static char
type_letter(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	default:
		return '-';
	}
}

const char *
print_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symlink";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFCHR:
		return "char-device";
	case S_IFBLK:
		return "block-device";
	default:
		return "file";
	}
}

const char *
print_number(
	char out[PRINT_MAX], uint64_t n, const char *thing, const char *things)
{
	snprintf(out, PRINT_MAX, "%" PRIu64 " %s", n, n == 1 ? thing : things);
	return out;
}

const char *
print_mode(char out[PRINT_MAX], uint32_t mode)
{
	static const char bits[] = "rwxrwxrwx";

	out[0] = type_letter(mode);
	for (int i = 0; i < 9; i++)
		out[1 + i] = mode & (0400u >> i) ? bits[i] : '-';
	if (mode & S_ISUID)
		out[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		out[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		out[9] = mode & S_IXOTH ? 't' : 'T';
	out[10] = '\0';
	return out;
}

const char *
print_time(char out[PRINT_MAX], const struct timespec *t)
{
	struct tm tm;

	if (!localtime_r(&t->tv_sec, &tm) ||
		strftime(out, PRINT_MAX, "%Y-%m-%d %H:%M", &tm) == 0)
		snprintf(out, PRINT_MAX, "@%jd", (intmax_t)t->tv_sec);
	return out;
}

const char *
print_duration(char out[PRINT_MAX], int64_t ns)
{
	int64_t s = ns / NS_PER_S;

	if (s < 60)
		snprintf(out, PRINT_MAX, "%" PRId64 "s", s);
	else if (s < 3600)
		snprintf(out, PRINT_MAX, "%" PRId64 "m%02" PRId64 "s", s / 60,
			s % 60);
	else
		snprintf(out, PRINT_MAX, "%" PRId64 "h%02" PRId64 "m", s / 3600,
			s % 3600 / 60);
	return out;
}

void
print_long(const struct view_attr *a, bool human)
{
	char mode[PRINT_MAX], size[PRINT_MAX], when[PRINT_MAX];

	if (S_ISCHR(a->mode) || S_ISBLK(a->mode))
		snprintf(size, sizeof(size), "%u, %u", major(a->rdev),
			minor(a->rdev));
	else if (human)
		print_size(size, a->size);
	else
		snprintf(size, sizeof(size), "%" PRIu64, a->size);
	printf("%s %3" PRIu32 " %5" PRIu32 " %5" PRIu32 " %12s %s ",
		print_mode(mode, a->mode), a->nlink, a->uid, a->gid, size,
		print_time(when, &a->mtime));
}
