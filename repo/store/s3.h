/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stores beyond this machine, by address (s3_config.h): a prefix of an S3
 * bucket, and a static tree on a web server.  Nothing is asked of them before
 * the first call.
 *
 * S3: an object's key is its name behind the prefix.  Keys below the prefix
 * that are no names of objects are not listed.  A get of no bytes asks for the
 * size.  Reading needs the rights to get and to list, writing also to put;
 * only remove needs to delete.
 *
 * put and commit ask the service to refuse a taken name (If-None-Match: *).
 * One that cannot is asked whether there is such an object first, which another
 * writer can outrun; names of objects that writers of a repository make are
 * random (Ceph 16 does not refuse a taken name at the end of a multipart
 * upload).  An upload that grows beyond 16 MiB becomes a multipart upload, of
 * which three parts travel while the next is filled.
 *
 * Static: read-only, unsigned.  It cannot be listed; what a listing would say
 * is read from the object `head`, which `yore head` prints (FORMAT, "Head");
 * without one, list is -EOPNOTSUPP.
 */
#ifndef YORE_STORE_S3_H
#define YORE_STORE_S3_H

#include "repo/store/store.h"

/* Whether an address is for the functions below. */
bool s3_is_address(const char *repo);
bool s3_is_static(const char *repo);

int store_s3_open(const char *address, struct store **s, struct err *e);
int store_web_open(const char *address, struct store **s, struct err *e);
/* -EROFS for a static tree. */
int sink_s3_open(const char *address, struct sink **s, struct err *e);

#endif
