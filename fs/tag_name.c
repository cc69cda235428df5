/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "fs/tag_name.h"

bool
tag_name_of(const char *tag, char name[TAG_NAME_SIZE])
{
	bool dots = strcmp(tag, ".") == 0 || strcmp(tag, "..") == 0;
	size_t n = 0;

	for (; *tag; tag++) {
		bool escape = dots || *tag == '/' || *tag == '%';

		if (n + (escape ? 3 : 1) > 255)
			return false;
		if (escape)
			n += (size_t)sprintf(
				name + n, "%%%02X", (unsigned char)*tag);
		else
			name[n++] = *tag;
	}
	name[n] = '\0';
	return n > 0;
}

/* The byte that %2F, %25 or %2E stands for. */
static bool
read_escape(const char *p, unsigned char *byte)
{
	static const char *const known[] = { "%2F", "%25", "%2E" };

	for (size_t i = 0; i < n_elements(known); i++) {
		if (strncmp(p, known[i], 3) == 0) {
			*byte = (unsigned char)"/%."[i];
			return true;
		}
	}
	return false;
}

bool
tag_name_parse(const char *name, char tag[TAG_NAME_SIZE])
{
	const char *whole = name;
	char again[TAG_NAME_SIZE];
	size_t n = 0;

	if (strlen(name) > 255)
		return false;
	for (; *name; n++) {
		unsigned char byte;

		if (*name != '%') {
			tag[n] = *name++;
			continue;
		}
		if (!read_escape(name, &byte))
			return false;
		tag[n] = (char)byte;
		name += 3;
	}
	tag[n] = '\0';
	return tag_name_of(tag, again) && strcmp(whole, again) == 0;
}
