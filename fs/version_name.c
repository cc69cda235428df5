/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/version_name.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TAR ".tar"

static bool
is_plain(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+~";

	return strspn(text, plain) == strlen(text);
}

const char *
version_name_ending(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *end = name + strlen(name);
	const char *dot = strrchr(name, '.');
	size_t tar = strlen(TAR);

	if (!dot || dot == name || !dot[1] || !is_plain(dot + 1))
		return end;
	if ((size_t)(dot - name) > tar && strncmp(dot - tar, TAR, tar) == 0)
		dot -= tar;
	return strlen(dot) <= VERSION_ENDING_MAX ? dot : end;
}

void
version_name_print(char out[VERSION_NAME_SIZE], const struct history_point *p,
	const struct view_attr *attr, const char *path)
{
	snprintf(out, VERSION_NAME_SIZE, "%s%s", p->name,
		S_ISREG(attr->mode) ? version_name_ending(path) : "");
}

bool
version_name_parse(
	const char *name, const char *path, char out[HISTORY_TIME_MAX + 1])
{
	size_t len = strcspn(name, ".");

	if (len == 0 || len > HISTORY_TIME_MAX ||
		(name[len] && strcmp(name + len, version_name_ending(path)) != 0))
		return false;
	memcpy(out, name, len);
	out[len] = '\0';
	return true;
}
