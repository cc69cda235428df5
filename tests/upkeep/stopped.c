/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backup that stands still for as long as a command takes, at one moment:
 *   stopped REPO TREE before|after|begun COMMAND
 * before the record of the snapshot h/t is put, after it was, or when the index
 * has been listed.  Exits as the backup ends, 1 it failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/write/writer.h"
#include "repo/store/store.h"

static const char *moment, *command;

int __real_sink_put(struct sink *s, const char *name, const void *data,
	size_t len, struct err *e);
int __wrap_sink_put(struct sink *s, const char *name, const void *data,
	size_t len, struct err *e);
int __real_store_list_names(struct store *s, const char *prefix,
	const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e);
int __wrap_store_list_names(struct store *s, const char *prefix,
	const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e);

static void
stop_at(const char *now)
{
	if (strcmp(now, moment))
		return;
	moment = "";
	if (system(command))
		abort();
}

int
__wrap_sink_put(struct sink *s, const char *name, const void *data, size_t len,
	struct err *e)
{
	bool record = strncmp(name, "snap/", 5) == 0;
	int r;

	if (record)
		stop_at("before");
	r = __real_sink_put(s, name, data, len, e);
	if (record)
		stop_at("after");
	return r;
}

int
__wrap_store_list_names(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	int r = __real_store_list_names(s, prefix, after, each, ctx, e);

	if (strcmp(prefix, "idx/") == 0)
		stop_at("begun");
	return r;
}

int
main(int argc, char **argv)
{
	auto_writer struct writer *w = NULL;
	struct backup_options o = { .host = "h", .name = "t" };
	struct backup_result result;
	struct err e = ERR_INIT;
	int r;

	if (argc != 5)
		return 2;
	o.path = argv[2];
	moment = argv[3];
	command = argv[4];
	r = writer_open(argv[1], NULL, &w, &e);
	if (!r)
		r = writer_backup(w, &o, &result, &e);
	if (r)
		fprintf(stderr, "stopped: %s\n", e.text);
	return r ? 1 : 0;
}
