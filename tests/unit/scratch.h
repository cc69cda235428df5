/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a test that writes and removes a lot of files does it. */
#ifndef YORE_TESTS_SCRATCH_H
#define YORE_TESTS_SCRATCH_H

#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

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

#endif
