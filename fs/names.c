/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "fs/call.h"
#include "fs/names.h"

#define NEEDED_MAX 8192

void
names_init(struct names *n)
{
	pthread_mutex_init(&n->lock, NULL);
	n->needed = NAMES_ROW;
}

void
names_release(struct names *n)
{
	free(n->bare);
	pthread_mutex_destroy(&n->lock);
}

/* A walk that pauses is another walk. */
static void
follow_row(struct names *n, int64_t now_ns)
{
	if (now_ns - n->last_ns > NAMES_GAP_NS) {
		n->row = 0;
		n->passed = 0;
		n->names_only = false;
	}
	n->last_ns = now_ns;
	n->row++;
}

uint32_t
names_list(struct call *c)
{
	struct names *n = &c->m->names;
	auto_lock(&n->lock);

	follow_row(n, c->began_ns);
	if (n->passed > 0 && ++n->passed > NAMES_PROOF) {
		n->names_only = true;
		n->passed = 0;
		n->needed = NAMES_ROW;
	}
	if (n->names_only)
		return UINT32_MAX;
	return n->passed == 0 && n->row >= n->needed ? NAMES_PROBE : 0;
}

uint32_t
names_list_on(struct call *c)
{
	struct names *n = &c->m->names;
	auto_lock(&n->lock);

	n->last_ns = c->began_ns;
	return n->names_only ? UINT32_MAX : 0;
}

void
names_listed_bare(struct call *c)
{
	struct names *n = &c->m->names;
	auto_lock(&n->lock);

	if (!n->bare)
		n->bare = xcalloc(NAMES_BARE, sizeof(*n->bare));
	n->bare[n->n_bare++ % NAMES_BARE] =
		mount_nodeid(c->m, c->node, c->at);
	if (!n->names_only && n->passed == 0)
		n->passed = 1;
}

/* Begin anew; the ring is the caller's.  Who was wrong waits longer. */
static uint64_t *
clear(struct names *n, uint32_t *n_bare)
{
	auto_lock(&n->lock);

	n->row = 0;
	if (n->passed > 0)
		n->needed = n->needed < NEEDED_MAX / 4 ? n->needed * 4
						       : NEEDED_MAX;
	n->passed = 0;
	n->names_only = false;
	*n_bare = n->n_bare < NAMES_BARE ? n->n_bare : NAMES_BARE;
	n->n_bare = 0;
	return steal(n->bare);
}

void
names_looked_up(struct call *c)
{
	struct names *n = &c->m->names;
	auto_free uint64_t *bare = NULL;
	uint32_t n_bare = 0;

	n->row = 0;
	if (n->n_bare == 0)
		return;
	bare = clear(n, &n_bare);
	for (uint32_t i = 0; bare && i < n_bare; i++)
		fuse_lowlevel_notify_inval_inode(
			c->m->session, bare[i], 0, 0);
}
