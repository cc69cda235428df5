/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/kept_key.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/base/state_dir.h"

#define FILE_NAME "foreign.key"

/* 0, -ENOENT there is none, -EPERM it is no key of ours alone. */
static int
read_key(const char *path, uint8_t key[KEY_LEN])
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -EPERM;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		st.st_uid != geteuid() || (st.st_mode & 077) ||
		st.st_size != KEY_LEN || read(fd, key, KEY_LEN) != KEY_LEN)
		return -EPERM;
	return 0;
}

/* A new one gets its name only when it is whole; of two that are made at the
 * same time one wins. */
static int
make_key(const char *path, const uint8_t key[KEY_LEN])
{
	auto_free char *temporary = xasprintf("%s.XXXXXX", path);
	auto_close int fd = -1;
	bool ok;

	state_dir_make(path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ok = write(fd, key, KEY_LEN) == KEY_LEN && fsync(fd) == 0 &&
	     (link(temporary, path) == 0 || errno == EEXIST);
	unlink(temporary);
	return ok ? 0 : -EIO;
}

bool
kept_key_load(uint8_t key[KEY_LEN])
{
	auto_free char *path = state_dir(FILE_NAME);
	int r = -EPERM;

	if (path[0] == '/')
		r = read_key(path, key);
	if (r == 0)
		return true;
	random_bytes(key, KEY_LEN);
	if (r == -ENOENT && make_key(path, key) == 0 &&
		read_key(path, key) == 0)
		return true;
	log_info("%s cannot be used: what is kept of replicas is lost when "
		 "this ends",
		path[0] ? path : FILE_NAME);
	random_bytes(key, KEY_LEN);
	return false;
}
