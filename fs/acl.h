/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a POSIX ACL says about the permission bits beside it. */
#ifndef YORE_FS_ACL_H
#define YORE_FS_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

static inline bool
acl_is_name(const char *name)
{
	return __builtin_strncmp(name, "system.posix_acl_", 17) == 0;
}

/*
 * Where nobody enforces the ACL, the group bits of the mode, which are its
 * mask, would let the group do what only named users may.  Returns the mode
 * with the group bits that the owning group really has; with none when the
 * ACL (value of ACL_ACCESS, any bytes) cannot be understood.
 */
mode_t acl_narrow(mode_t mode, const void *acl, size_t len);

#endif
