/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include "fs/call.h"
#include "fs/ops.h"

#define BLOCK 4096

static void
start(void *userdata, struct fuse_conn_info *conn)
{
	struct mount *m = userdata;
	unsigned int wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_AUTO_INVAL_DATA |
			      FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS |
			      FUSE_CAP_CACHE_SYMLINKS |
			      FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_ASYNC_DIO;

	/* only where the kernel checks permissions in any case, or where the
	 * user passes every check */
	if (m->picture->has_acl && (m->modes_enforced || geteuid() == 0))
		wanted |= FUSE_CAP_POSIX_ACL;
	conn->want = wanted & conn->capable;
	conn->max_background = 64;
	conn->congestion_threshold = 48;
	m->acls_enforced = (conn->want & FUSE_CAP_POSIX_ACL) != 0;
	m->modes_enforced |= m->acls_enforced;
	m->picture->modes_enforced = m->modes_enforced; /* nobody asks yet */
	m->no_open = (conn->capable & FUSE_CAP_NO_OPEN_SUPPORT) != 0;
	m->no_opendir = (conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT) != 0;
}

/* From memory: never waits for the store. */
static void
op_statfs(fuse_req_t req, fuse_ino_t id)
{
	auto_call struct call c = CALL_INIT;
	struct statvfs st = {
		.f_bsize = BLOCK, .f_frsize = BLOCK, .f_namemax = 255
	};

	if (!call_begin(&c, req, OP_STATFS, id))
		return;
	st.f_blocks = (c.picture->bytes + BLOCK - 1) / BLOCK;
	st.f_files = c.picture->entries;
	fuse_reply_statfs(req, &st);
}

static void
op_ioctl(fuse_req_t req, fuse_ino_t id, unsigned int cmd, void *arg,
	struct fuse_file_info *fi, unsigned int flags, const void *in,
	size_t in_size, size_t out_size)
{
	auto_call struct call c = CALL_INIT;

	(void)cmd, (void)arg, (void)fi, (void)flags, (void)in, (void)in_size,
		(void)out_size;
	if (call_begin(&c, req, OP_OTHER, id))
		fuse_reply_err(req, ENOTTY);
}

/* -- Everything that would write ----------------------------------------- */

static void
refuse(fuse_req_t req, fuse_ino_t id)
{
	auto_call struct call c = CALL_INIT;

	if (call_begin(&c, req, OP_OTHER, id))
		fuse_reply_err(req, EROFS);
}

static void
no_setattr(fuse_req_t req, fuse_ino_t id, struct stat *st, int which,
	struct fuse_file_info *fi)
{
	(void)st, (void)which, (void)fi;
	refuse(req, id);
}

static void
no_mknod(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode,
	dev_t rdev)
{
	(void)name, (void)mode, (void)rdev;
	refuse(req, dir);
}

static void
no_mkdir(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode)
{
	(void)name, (void)mode;
	refuse(req, dir);
}

static void
no_unlink(fuse_req_t req, fuse_ino_t dir, const char *name)
{
	(void)name;
	refuse(req, dir);
}

static void
no_symlink(fuse_req_t req, const char *target, fuse_ino_t dir, const char *name)
{
	(void)target, (void)name;
	refuse(req, dir);
}

static void
no_rename(fuse_req_t req, fuse_ino_t dir, const char *name, fuse_ino_t to_dir,
	const char *to_name, unsigned int flags)
{
	(void)name, (void)to_dir, (void)to_name, (void)flags;
	refuse(req, dir);
}

static void
no_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t dir, const char *name)
{
	(void)dir, (void)name;
	refuse(req, id);
}

static void
no_write(fuse_req_t req, fuse_ino_t id, const char *data, size_t size,
	off_t off, struct fuse_file_info *fi)
{
	(void)data, (void)size, (void)off, (void)fi;
	refuse(req, id);
}

static void
no_setxattr(fuse_req_t req, fuse_ino_t id, const char *name, const char *value,
	size_t size, int flags)
{
	(void)name, (void)value, (void)size, (void)flags;
	refuse(req, id);
}

static void
no_removexattr(fuse_req_t req, fuse_ino_t id, const char *name)
{
	(void)name;
	refuse(req, id);
}

static void
no_create(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode,
	struct fuse_file_info *fi)
{
	(void)name, (void)mode, (void)fi;
	refuse(req, dir);
}

static void
no_fallocate(fuse_req_t req, fuse_ino_t id, int mode, off_t off, off_t len,
	struct fuse_file_info *fi)
{
	(void)mode, (void)off, (void)len, (void)fi;
	refuse(req, id);
}

const struct fuse_lowlevel_ops op_table = {
	.init = start,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.readlink = op_readlink,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.open = op_open,
	.read = op_read,
	.lseek = op_lseek,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.statfs = op_statfs,
	.ioctl = op_ioctl,
	.setattr = no_setattr,
	.mknod = no_mknod,
	.mkdir = no_mkdir,
	.unlink = no_unlink,
	.rmdir = no_unlink,
	.symlink = no_symlink,
	.rename = no_rename,
	.link = no_link,
	.write = no_write,
	.setxattr = no_setxattr,
	.removexattr = no_removexattr,
	.create = no_create,
	.fallocate = no_fallocate,
};
