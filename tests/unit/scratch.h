/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a test that writes and removes a lot of files, or waits for the disk at
 * each of many, does it: the disk is not what it is about. */
#ifndef YORE_TESTS_SCRATCH_H
#define YORE_TESTS_SCRATCH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "repo/base/buf.h"
#include "repo/native/state_later.h"

#define SCRATCH_MIN (512u << 20)

/* Memory if there is enough of it, else TMPDIR. */
static inline const char *
scratch(void)
{
	const char *tmp = getenv("TMPDIR");
	struct statvfs st;

	if (!statvfs("/dev/shm", &st) && access("/dev/shm", W_OK) == 0 &&
		st.f_bavail * st.f_frsize > SCRATCH_MIN)
		return "/dev/shm";
	return tmp ? tmp : "/tmp";
}

/* A new directory there; whether it could be made. */
static inline bool
scratch_make(char *dir, size_t size)
{
	snprintf(dir, size, "%.40s/yore-test-XXXXXX", scratch());
	return mkdtemp(dir) != NULL;
}

/* Remove a directory and all below; whether nothing of it is left.  What this
 * process still writes of its own state there is waited for, or it might come
 * back. */
static inline bool
scratch_remove(const char *dir)
{
	char *command = xasprintf("rm -rf '%s'", dir);
	int status;

	state_later_wait(NULL);
	status = system(command);
	free(command);
	return status == 0;
}

#endif
