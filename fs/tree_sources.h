/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual directories that list hosts and, below them, names: sources/, a
 * moment (at/X/ and latest/) and a tag.
 */
#ifndef YORE_FS_TREE_SOURCES_H
#define YORE_FS_TREE_SOURCES_H

#include "fs/tree.h"

int tree_sources_find_host(const struct picture *p, const struct node *dir,
	const char *name, int64_t now_ns, struct tree_child *child);
void tree_sources_list_hosts(const struct picture *p, const struct node *dir,
	uint64_t from, int64_t now_ns, tree_each *each, void *ctx);

/* Names below a host. */
int tree_sources_find(const struct picture *p, const struct node *host,
	const char *name, int64_t now_ns, struct tree_child *child,
	struct err *e);
void tree_sources_list(const struct picture *p, const struct node *host,
	uint64_t from, int64_t now_ns, tree_each *each, void *ctx);

/* Is a directory below at/, with a time that moves? */
bool tree_sources_moving(const struct node *dir, int64_t now_ns);

#endif
