/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/library_ahead.h"
#include "repo/base/log.h"

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

static bool
load(struct library *l)
{
	void *library;

	library_ahead(l->file);
	library = dlopen(l->file, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library && l->names[i]; i++) {
		l->table[i] = dlsym(library, l->names[i]);
		if (!l->table[i])
			return false;
	}
	return library;
}

int
library_load(struct library *l, struct err *e)
{
	int r = 0;

	if (__atomic_load_n(&l->loaded, __ATOMIC_ACQUIRE))
		return 0;
	pthread_mutex_lock(&loading);
	if (l->loaded || load(l))
		__atomic_store_n(&l->loaded, true, __ATOMIC_RELEASE);
	else
		r = err_set(e, ELIBACC, "cannot load %.*s: %s",
			(int)strcspn(l->file, "."), l->file, dlerror());
	pthread_mutex_unlock(&loading);
	return r;
}

void
library_need(struct library *l)
{
	struct err e = ERR_INIT;

	if (!library_load(l, &e))
		return;
	log_error("%s", e.text);
	_exit(EXIT_FAILURE);
}
