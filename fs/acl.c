/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The value of the attribute, as in <linux/posix_acl_xattr.h>: version (u32),
 * then entries of tag (u16), permissions (u16), id (u32), all little-endian.
 */
#include <endian.h>
#include <stdint.h>
#include <string.h>
#include "fs/acl.h"

#define VERSION 2
#define TAG_GROUP_OBJ 0x04
#define TAG_MASK 0x10

static uint16_t
get_le16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

mode_t
acl_narrow(mode_t mode, const void *acl, size_t len)
{
	const uint8_t *p = acl;
	mode_t group = 0, mask = 7;

	if (len < 4 || len % 8 != 4 || get_le16(p) != VERSION)
		return mode & ~(mode_t)S_IRWXG;
	for (size_t i = 4; i < len; i += 8) {
		uint16_t tag = get_le16(p + i);

		if (tag == TAG_GROUP_OBJ)
			group = get_le16(p + i + 2) & 7;
		else if (tag == TAG_MASK)
			mask = get_le16(p + i + 2) & 7;
	}
	return (mode & ~(mode_t)S_IRWXG) | ((group & mask) << 3);
}
