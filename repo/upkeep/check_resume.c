/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/check_resume.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/state_dir.h"
#include "repo/native/state.h"

#define SAVE_NS (2 * NS_PER_S)

static void
parse_line(struct check_resume *cr, char *line)
{
	char name[STORE_NAME_MAX + 1];

	if (sscanf(line, "since %" SCNd64, &cr->since_ns) == 1 ||
		sscanf(line, "before %" SCNd64, &cr->before_ns) == 1 ||
		sscanf(line, "cursor %200s", cr->cursor) == 1)
		return;
	if (sscanf(line, "bad %200s", name) == 1)
		check_resume_bad(cr, name);
	else if (!strcmp(line, "whole\n"))
		cr->whole = true;
}

void
check_resume_load(struct check_resume *cr, const struct repository *rp)
{
	auto_fclose FILE *f = NULL;
	auto_free char *line = NULL, *below = NULL;
	char address[33];
	size_t cap = 0;

	*cr = (struct check_resume){ .path = NULL };
	state_address(rp->store, address);
	below = xasprintf("%s/check/%s", rp->id_text, address);
	cr->path = state_dir(below);
	f = fopen(cr->path, "re");
	if (!f || getline(&line, &cap, f) <= 0 ||
		strcmp(line, "yore-check 1\n") != 0)
		return;
	while (getline(&line, &cap, f) > 0)
		parse_line(cr, line);
}

void
check_resume_save(struct check_resume *cr)
{
	auto_buf struct buf b = BUF_INIT;

	buf_printf(&b, "yore-check 1\nsince %" PRId64 "\nbefore %" PRId64 "\n",
		cr->since_ns, cr->before_ns);
	if (*cr->cursor)
		buf_printf(&b, "cursor %s\n", cr->cursor);
	if (cr->whole)
		buf_printf(&b, "whole\n");
	for (size_t i = 0; i < cr->n_bad; i++)
		buf_printf(&b, "bad %s\n", cr->bad[i]);
	state_write(cr->path, &b);
	cr->saved_ns = clock_mono_ns();
}

void
check_resume_begin(struct check_resume *cr, bool whole)
{
	cr->since_ns = clock_wall_ns();
	cr->whole = whole;
	cr->n_bad = 0;
	*cr->cursor = '\0';
	check_resume_save(cr);
}

void
check_resume_reached(struct check_resume *cr, const char *name)
{
	snprintf(cr->cursor, sizeof(cr->cursor), "%s", name);
	if (clock_mono_ns() - cr->saved_ns > SAVE_NS)
		check_resume_save(cr);
}

void
check_resume_bad(struct check_resume *cr, const char *name)
{
	for (size_t i = 0; i < cr->n_bad; i++) {
		if (strcmp(cr->bad[i], name) == 0)
			return;
	}
	if (cr->n_bad == CHECK_RESUME_BAD_MAX)
		return;
	cr->bad = xrealloc(cr->bad, (cr->n_bad + 1) * sizeof(*cr->bad));
	snprintf(cr->bad[cr->n_bad++], sizeof(*cr->bad), "%s", name);
}

void
check_resume_end(struct check_resume *cr)
{
	cr->before_ns = cr->since_ns;
	cr->since_ns = 0;
	cr->whole = false;
	cr->n_bad = 0;
	*cr->cursor = '\0';
	check_resume_save(cr);
}

void
check_resume_release(struct check_resume *cr)
{
	free(cr->path);
	free(cr->bad);
	*cr = (struct check_resume){ .path = NULL };
}
