/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines: id, parent, MAJOR:MINOR, root, mountpoint, options, optional fields,
 * "-", type, source, options.  Blanks and backslashes in names are \ooo.
 */
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "fs/table.h"

struct line {
	char device[32];
	char type[64];
};

/* Undo \ooo in place. */
static void
unescape(char *s)
{
	char *out = s;

	while (*s) {
		unsigned int byte;

		if (*s == '\\' && sscanf(s + 1, "%3o", &byte) == 1) {
			*out++ = (char)byte;
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/* Read a line about path; false: it is about another. */
static bool
parse(char *text, const char *path, struct line *out)
{
	char *save = NULL, *field = strtok_r(text, " \n", &save);
	bool types = false;

	for (int i = 0; field; field = strtok_r(NULL, " \n", &save), i++) {
		if (i == 2)
			snprintf(out->device, sizeof(out->device), "%s", field);
		if (i == 4) {
			unescape(field);
			if (strcmp(field, path) != 0)
				return false;
		}
		if (types) {
			snprintf(out->type, sizeof(out->type), "%s", field);
			return true;
		}
		types = i > 5 && strcmp(field, "-") == 0;
	}
	return false;
}

static bool
find(const char *path, struct line *found)
{
	auto_fclose FILE *f = fopen("/proc/self/mountinfo", "r");
	auto_free char *text = NULL;
	struct line line;
	size_t size = 0;
	bool any = false;

	while (f && getline(&text, &size, f) >= 0) {
		if (parse(text, path, &line)) {
			*found = line;
			any = true;
		}
	}
	return any;
}

bool
table_is_yore(const char *path)
{
	struct line line;

	return find(path, &line) && strcmp(line.type, "fuse.yorefs") == 0;
}

bool
table_device(const char *path, char *out, size_t size)
{
	struct line line;

	if (!find(path, &line))
		return false;
	snprintf(out, size, "%s", line.device);
	return true;
}
