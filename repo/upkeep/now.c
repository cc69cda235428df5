/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/now.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/crypto/keyring.h"

#define PREFIX "gc/clock/"
#define NAME_LEN (sizeof(PREFIX) + 32)
#define LEFT_MAX 100

struct clock_objects {
	char own[NAME_LEN];
	int64_t now_ns;
	bool found;
	char names[LEFT_MAX][NAME_LEN];
	size_t n;
};

static bool
look(void *ctx, const struct store_object *o)
{
	struct clock_objects *c = ctx;

	if (!strcmp(o->name, c->own)) {
		c->now_ns = o->modified_ns;
		c->found = true;
	}
	if (c->n < LEFT_MAX && strlen(o->name) < NAME_LEN)
		memcpy(c->names[c->n++], o->name, strlen(o->name) + 1);
	return true;
}

static void
clean_up(struct sink *sink, const struct clock_objects *c)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < c->n; i++) {
		int r = sink_remove(sink, c->names[i], &e);

		if (r && r != -ENOENT)
			log_warn("%s was left: %s", c->names[i], e.text);
	}
}

int
now_by_store(struct store *store, struct sink *sink, int64_t *now_ns,
	struct err *e)
{
	struct clock_objects c = { .n = 0 };
	uint8_t id[16];
	char hex[33];
	int r;

	random_bytes(id, sizeof(id));
	snprintf(c.own, sizeof(c.own), PREFIX "%s",
		hex_encode(hex, id, sizeof(id)));
	r = sink_put(sink, c.own, "", 0, e);
	if (!r)
		r = store_list_objects(store, PREFIX, "", look, &c, e);
	if (r)
		return r;
	clean_up(sink, &c);
	if (!c.found)
		return err_set(e, EIO,
			"%s: an object that was put is not listed",
			store->name);
	if (c.now_ns == STORE_TIME_UNKNOWN)
		return err_set(e, ENOTSUP,
			"%s tells no times of objects: their age is not known",
			store->name);
	*now_ns = c.now_ns;
	return 0;
}
