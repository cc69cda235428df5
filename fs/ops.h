/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations of the mount, each answering one kind of request.  What is
 * not in the table answers ENOSYS once and is never asked again: FLUSH,
 * ACCESS, locks (the kernel keeps them itself), poll.
 */
#ifndef YORE_FS_OPS_H
#define YORE_FS_OPS_H

#include "fs/mount.h"

extern const struct fuse_lowlevel_ops op_table;

/* ops_lookup.c */
void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_forget(fuse_req_t req, fuse_ino_t id, uint64_t lookups);
void op_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *f);
void op_getattr(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_readlink(fuse_req_t req, fuse_ino_t id);

/* ops_dir.c */
void op_opendir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t off,
	struct fuse_file_info *fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t id, size_t size, off_t off,
	struct fuse_file_info *fi);

/* ops_read.c */
void op_open(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_read(fuse_req_t req, fuse_ino_t id, size_t size, off_t off,
	struct fuse_file_info *fi);
void op_lseek(fuse_req_t req, fuse_ino_t id, off_t off, int whence,
	struct fuse_file_info *fi);

/* ops_xattr.c */
void op_getxattr(fuse_req_t req, fuse_ino_t id, const char *name, size_t size);
void op_listxattr(fuse_req_t req, fuse_ino_t id, size_t size);

#endif
