/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "fs/mount.h"
#include "fs/ops.h"
#include "fs/random.h"
#include "fs/root.h"
#include "fs/serve.h"
#include "fs/status.h"
#include "fs/table.h"

int
mount_new(struct history *h, const struct mount_options *o, struct mount **out,
	struct err *e)
{
	auto_mount struct mount *m = xcalloc(1, sizeof(*m));
	int rc;

	m->history = h;
	m->options = o;
	m->modes_enforced = o->allow_other || o->default_permissions;
	m->mounted_ns = clock_wall_ns();
	m->refreshed_ns = m->mounted_ns;
	m->nodes = nodes_new();
	m->views = views_new(h);
	pthread_mutex_init(&m->picture_lock, NULL);
	names_init(&m->names);
	pthread_mutex_init(&m->storing, NULL);
	m->answers = answers_new();
	m->random = random_new(m);
	picture_put(mount_show(m, 0));
	rc = root_resolve(m, o->address, e);
	if (rc != 0)
		return rc;
	if (o->address) /* the scope is known only now */
		picture_put(mount_show(m, 0));
	*out = steal(m);
	return 0;
}

void
mount_free(struct mount *m)
{
	if (!m)
		return;
	random_free(m->random);
	if (m->session)
		fuse_session_destroy(m->session);
	views_free(m->views);
	answers_free(m->answers);
	picture_put(m->picture);
	nodes_free(m->nodes);
	pthread_mutex_destroy(&m->picture_lock);
	names_release(&m->names);
	pthread_mutex_destroy(&m->storing);
	free(m);
}

struct picture *
mount_picture(struct mount *m)
{
	auto_lock(&m->picture_lock);
	return picture_get(m->picture);
}

struct picture *
mount_show(struct mount *m, int64_t changed_ns)
{
	struct picture *p = picture_new(m->history, &m->scope, changed_ns);
	struct picture *old;

	p->answers = m->answers;
	p->modes_enforced = m->modes_enforced;
	picture_get(p);
	pthread_mutex_lock(&m->picture_lock);
	old = m->picture;
	m->picture = p;
	pthread_mutex_unlock(&m->picture_lock);
	picture_put(old);
	return p;
}

/* -- Nodes --------------------------------------------------------------- */

struct node *
mount_enter(struct mount *m, const struct picture *p, struct node *dir,
	const struct tree_child *child)
{
	struct node_spec spec = {
		.kind = child->kind, .parent = dir, .name = child->name
	};

	spec.asked = child->asked;
	spec.access = child->access;
	if (child->is_version)
		spec.base = child->version.node;
	spec.point = tree_child_point(p, child);
	if (spec.point)
		spec.time_ns = spec.point->time_ns;
	if (child->is_moment)
		spec.source = &p->listing->sources[spec.point->source];
	if (child->kind == NODE_LINK) {
		spec.text = tree_link_target(p, dir, child);
		spec.text_len = strlen(spec.text);
	} else if (child->kind == NODE_TEXT) {
		spec.text = status_text(m, p, child->name, &spec.text_len);
		spec.time_ns = clock_wall_ns();
	}
	return nodes_enter(m->nodes, &spec);
}

uint64_t
mount_nodeid(const struct mount *m, const struct node *n, uint64_t at)
{
	if (n == m->root && (n->kind != NODE_TREE || at == m->root_at))
		return FUSE_ROOT_ID;
	if (n->kind != NODE_TREE)
		return NODE_VIRTUAL | n->number;
	return (uint64_t)n->number << NODE_SHIFT | (at == n->base ? 0 : at);
}

struct node *
mount_node(struct mount *m, uint64_t nodeid, uint64_t *at)
{
	uint64_t number = nodeid >> NODE_SHIFT;
	struct node *n;

	*at = 0;
	if (nodeid == FUSE_ROOT_ID) {
		*at = m->root_at;
		return nodes_get(m->nodes, m->root->number);
	}
	if (nodeid & NODE_VIRTUAL)
		number = nodeid & ~NODE_VIRTUAL;
	else
		*at = nodeid & ((1ULL << NODE_SHIFT) - 1);
	if (number > NODE_NUMBER_MAX)
		return NULL;
	n = nodes_get(m->nodes, (uint32_t)number);
	if (n && *at == 0)
		*at = n->base;
	if (n && (n->kind == NODE_TREE) == !(nodeid & NODE_VIRTUAL))
		return n;
	nodes_put(m->nodes, n);
	return NULL;
}

/* -- Attaching ----------------------------------------------------------- */

/* What libfuse says goes to the log; while attaching it is kept as reason. */
static struct {
	bool keep;
	char text[256];
} fuse_said;

__attribute__((format(printf, 2, 0))) static void
take_fuse_message(enum fuse_log_level level, const char *fmt, va_list ap)
{
	char text[sizeof(fuse_said.text)];

	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	if (fuse_said.keep)
		memcpy(fuse_said.text, text, sizeof(text));
	else if (level <= FUSE_LOG_ERR)
		log_error("%s", text);
	else
		log_debug("%s", text);
}

static void
session_arguments(const struct mount *m, struct fuse_args *args)
{
	const struct mount_options *o = m->options;
	auto_free char *fsname = xasprintf("fsname=yore:%s", o->name);
	char *opts = NULL;

	fuse_opt_add_arg(args, "yorefs");
	fuse_opt_add_opt(&opts, "ro,nosuid,nodev,noatime,subtype=yorefs");
	fuse_opt_add_opt_escaped(&opts, fsname);
	if (o->allow_other)
		fuse_opt_add_opt(&opts, "allow_other");
	if (o->allow_other || o->default_permissions)
		fuse_opt_add_opt(&opts, "default_permissions");
	if (o->kernel)
		fuse_opt_add_opt(&opts, o->kernel);
	fuse_opt_add_arg(args, "-o");
	fuse_opt_add_arg(args, opts);
	if (o->debug)
		fuse_opt_add_arg(args, "-d");
	free(opts);
}

/* The kernel's first request is INIT; once it is answered all others come. */
static int
answer_init(struct mount *m, struct err *e)
{
	struct fuse_buf buf = { .mem = NULL };
	int n = fuse_session_receive_buf(m->session, &buf);

	if (n <= 0)
		return err_sys(e, n < 0 ? -n : ENODEV,
			"%s: the kernel does not"
			" ask",
			m->options->mountpoint);
	fuse_session_process_buf(m->session, &buf);
	free(buf.mem);
	return 0;
}

/*
 * The kernel reads 128 KiB ahead in FUSE mounts.  Only root may change that,
 * through the mount's backing device; it is no error when it fails.
 */
static void
set_read_ahead(const struct mount *m)
{
	auto_free char *path = NULL;
	auto_fclose FILE *f = NULL;
	char device[32];

	if (m->options->read_ahead_kib == 0 ||
		!table_device(m->options->mountpoint, device, sizeof(device)))
		return;
	path = xasprintf("/sys/class/bdi/%s/read_ahead_kb", device);
	f = fopen(path, "w");
	if (f)
		fprintf(f, "%d\n", m->options->read_ahead_kib);
}

int
mount_attach(struct mount *m, struct err *e)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	int rc;

	fuse_said.keep = true;
	fuse_set_log_func(take_fuse_message);
	session_arguments(m, &args);
	m->session = fuse_session_new(&args, &op_table, sizeof(op_table), m);
	fuse_opt_free_args(&args);
	if (!m->session)
		return err_set(e, EINVAL, "%s", fuse_said.text);
	if (fuse_session_mount(m->session, m->options->mountpoint) != 0)
		return err_set(e, EIO, "cannot mount on %s%s%s",
			m->options->mountpoint, *fuse_said.text ? ": " : "",
			fuse_said.text);
	fuse_said.keep = false;
	rc = answer_init(m, e);
	if (rc != 0) {
		fuse_session_unmount(m->session);
		return rc;
	}
	set_read_ahead(m);
	return 0;
}

int
mount_serve(struct mount *m, struct err *e)
{
	int rc = serve_until_told(m);

	random_stop(m->random);
	fuse_session_unmount(m->session);
	return rc ? err_sys(e, -rc, "%s", m->options->mountpoint) : 0;
}
