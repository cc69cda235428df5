/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "fs/complaint.h"

#define REMEMBERED 64
#define MINUTE_NS (60 * NS_PER_S)
#define PATH_DEPTH 64

struct complaint {
	uint64_t nodeid;
	int code;
	int64_t when_ns;
};

static struct {
	pthread_mutex_t lock; /* guards everything below */
	struct complaint said[REMEMBERED];
	unsigned int next;
	int64_t minute_began_ns;
	unsigned int n_said;
	unsigned int n_left_out;
} memory = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Is it new?  Remembers it. */
static bool
is_news(uint64_t nodeid, int code, int64_t now_ns)
{
	struct complaint *c;

	for (size_t i = 0; i < REMEMBERED; i++) {
		c = &memory.said[i];
		if (c->nodeid == nodeid && c->code == code &&
			now_ns - c->when_ns < MINUTE_NS)
			return false;
	}
	c = &memory.said[memory.next++ % REMEMBERED];
	*c = (struct complaint){ nodeid, code, now_ns };
	return true;
}

/* May a line be written?  *left_out of the minute before are to be told. */
static bool
may_speak(uint64_t nodeid, int code, unsigned int *left_out)
{
	int64_t now_ns = clock_mono_ns();

	*left_out = 0;
	auto_lock(&memory.lock);
	if (now_ns - memory.minute_began_ns > MINUTE_NS) {
		*left_out = memory.n_left_out;
		memory.minute_began_ns = now_ns;
		memory.n_said = memory.n_left_out = 0;
	}
	if (!is_news(nodeid, code, now_ns))
		return false;
	if (memory.n_said >= COMPLAINTS_A_MINUTE) {
		memory.n_left_out++;
		return false;
	}
	memory.n_said++;
	return true;
}

struct finding {
	uint64_t node;
	char *name;
	size_t size;
};

static bool
take_name(void *ctx, const struct view_dirent *d)
{
	struct finding *f = ctx;

	if (d->attr.node != f->node)
		return true;
	err_escape(f->name, f->size, d->name, d->name_len);
	return false;
}

/* Write the path of a node in a view, below node base, to out, as far as it can
 * be read. */
static void
path_in_view(struct view *v, uint64_t base, uint64_t node, char *out,
	size_t size, int depth)
{
	char name[1024] = "?";
	struct finding f = { .node = node, .name = name, .size = sizeof(name) };
	uint64_t parent;
	size_t len;

	out[0] = '\0';
	if (node == base)
		return;
	if (depth == 0 || view_parent(v, node, &parent, NULL) != 0) {
		snprintf(out, size, "/...");
		return;
	}
	view_list(v, parent, 0, take_name, &f, NULL);
	path_in_view(v, base, parent, out, size, depth - 1);
	len = strlen(out);
	snprintf(out + len, size - len, "/%s", name);
}

void
complaint_log(struct call *c, int code)
{
	char slot[1024], inside[4096] = "";
	unsigned int left_out;

	if (!may_speak(mount_nodeid(c->m, c->node, c->at), code, &left_out))
		return;
	if (left_out > 0)
		log_warn("%u more errors were not reported", left_out);
	node_path(c->node, slot, sizeof(slot));
	if (c->view)
		path_in_view(c->view, c->node->base, c->at, inside,
			sizeof(inside), PATH_DEPTH);
	log_error("%s%s: %s", slot, inside,
		c->e.code ? c->e.text : strerror(code));
}
