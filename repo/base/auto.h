/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owners that let go by themselves.  A variable declared auto_free is freed
 * when it leaves its scope; steal() hands the value on and leaves NULL.
 * An owner is initialised where it is declared.
 */
#ifndef YORE_BASE_AUTO_H
#define YORE_BASE_AUTO_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <dirent.h>
#include <pthread.h>

#define AUTO(f) __attribute__((cleanup(f)))

static inline void
auto_free_(void *p)
{
	free(*(void **)p);
}

static inline void
auto_close_(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void
auto_fclose_(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void
auto_closedir_(DIR **d)
{
	if (*d)
		closedir(*d);
}

static inline void
auto_unlock_(pthread_mutex_t **m)
{
	if (*m)
		pthread_mutex_unlock(*m);
}

static inline pthread_mutex_t *
auto_locked_(pthread_mutex_t *m)
{
	pthread_mutex_lock(m);
	return m;
}

#define auto_free AUTO(auto_free_)
#define auto_close AUTO(auto_close_)
#define auto_fclose AUTO(auto_fclose_)
#define auto_closedir AUTO(auto_closedir_)

/* Holds a mutex until the end of the scope: auto_lock(&x->lock); */
#define auto_lock(m) \
	AUTO(auto_unlock_) pthread_mutex_t *auto_lock_held_ \
		__attribute__((unused)) = auto_locked_(m)

#define steal(p) \
	({ \
		__typeof__(p) stolen_ = (p); \
		(p) = NULL; \
		stolen_; \
	})

#define steal_fd(fd) \
	({ \
		int stolen_ = (fd); \
		(fd) = -1; \
		stolen_; \
	})

#define n_elements(a) (sizeof(a) / sizeof((a)[0]))

#endif
