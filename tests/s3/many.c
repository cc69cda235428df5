/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * many REPOSITORY N: make N more snapshots of what the newest one of the only
 * source has, a minute apart; the last few also write catalogs, as each backup
 * does, so that there is a full one and tails.
 */
#include <stdlib.h>
#include "tests/s3/write_record.h"

#define NOTED 20

int
main(int argc, char **argv)
{
	struct world w;

	if (argc != 3)
		return 2;
	world_open(&w, argv[1]);
	for (unsigned long left = strtoul(argv[2], NULL, 10); left > 0;
		left--) {
		world_put(&w);
		if (left <= NOTED)
			world_note(&w);
	}
	world_close(&w);
	return 0;
}
