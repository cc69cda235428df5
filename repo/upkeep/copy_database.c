/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include "repo/upkeep/copy_private.h"

int
copy_database(struct copy_run *r, struct err *e)
{
	return err_set(e, EOPNOTSUPP, "%s/%s: databases are not copied yet",
		r->host, r->name);
}
