/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "tools/print.h"

/* jansson returns NULL, and then does nothing, only when memory is gone. */
static json_t *
there(json_t *j)
{
	if (!j)
		abort();
	return j;
}

json_t *
json_line(const char *type)
{
	json_t *line = there(json_object());

	json_text(line, "type", type);
	return line;
}

void
json_name(json_t *line, const char *key, const char *name, size_t len)
{
	json_t *value = json_stringn(name, len);
	char *key_hex, *hex;

	if (value) {
		json_object_set_new(line, key, value);
		return;
	}
	auto_free char *escaped = print_escaped(name, len);

	json_text(line, key, escaped);
	key_hex = xasprintf("%s_hex", key);
	hex = hex_encode(xmalloc(2 * len + 1), name, len);
	json_text(line, key_hex, hex);
	free(key_hex);
	free(hex);
}

void
json_text(json_t *line, const char *key, const char *text)
{
	json_object_set_new(line, key, there(json_string(text)));
}

/* Integers are signed 64 bit in jansson; what is larger becomes a string. */
void
json_u64(json_t *line, const char *key, uint64_t v)
{
	char digits[24];

	if (v <= INT64_MAX) {
		json_object_set_new(line, key, there(json_integer((int64_t)v)));
		return;
	}
	snprintf(digits, sizeof(digits), "%" PRIu64, v);
	json_text(line, key, digits);
}

void
json_flag(json_t *line, const char *key, bool v)
{
	json_object_set_new(line, key, json_boolean(v));
}

void
json_time(json_t *line, const char *key, const struct timespec *t)
{
	char out[80];
	struct tm tm;

	if (!gmtime_r(&t->tv_sec, &tm)) {
		snprintf(out, sizeof(out), "@%jd.%09ld", (intmax_t)t->tv_sec,
			t->tv_nsec);
	} else {
		size_t n = strftime(out, sizeof(out), "%Y-%m-%dT%H:%M:%S", &tm);

		snprintf(out + n, sizeof(out) - n, ".%09ldZ", t->tv_nsec);
	}
	json_text(line, key, out);
}

void
json_time_ns(json_t *line, const char *key, int64_t t_ns)
{
	int64_t s = t_ns / NS_PER_S - (t_ns % NS_PER_S < 0);
	struct timespec t = { .tv_sec = s, .tv_nsec = t_ns - s * NS_PER_S };

	json_time(line, key, &t);
}

void
json_attr(json_t *line, const struct view_attr *a)
{
	char mode[8];

	json_text(line, "file_type", print_type(a->mode));
	snprintf(mode, sizeof(mode), "%04o", a->mode & 07777);
	json_text(line, "mode", mode);
	json_u64(line, "uid", a->uid);
	json_u64(line, "gid", a->gid);
	json_u64(line, "size", a->size);
	json_time(line, "mtime", &a->mtime);
	json_time(line, "ctime", &a->ctime);
	json_u64(line, "nlink", a->nlink);
	json_u64(line, "ino", a->ino);
	if (S_ISCHR(a->mode) || S_ISBLK(a->mode)) {
		json_u64(line, "major", major(a->rdev));
		json_u64(line, "minor", minor(a->rdev));
	}
}

void
json_point(json_t *line, const struct history_listing *l,
	const struct history_point *p)
{
	const struct history_source *s = &l->sources[p->source];

	json_name(line, "host", s->host, strlen(s->host));
	json_name(line, "source", s->name, strlen(s->name));
	json_text(line, "snapshot", p->name);
	json_text(line, "id", p->id);
	json_time_ns(line, "time", p->time_ns);
}

void
json_print(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}
