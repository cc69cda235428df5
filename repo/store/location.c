/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/location.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "repo/base/auto.h"

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

int
location_directory(const char *repo, const char **path, struct err *e)
{
	if (!repo || !*repo)
		return err_set(e, EINVAL,
			"no repository is named (-r REPO or YORE_REPOSITORY)");
	if (strstr(repo, "://") && !strchr("/.", *repo) &&
		!begins(repo, "file://"))
		return err_set(e, EINVAL,
			"%s: no kind of repository: it is /dir, s3://BUCKET/... "
			"or https://HOST/...",
			repo);
	*path = begins(repo, "file://") ? repo + 7 : repo;
	if (*path != repo && **path != '/')
		return err_set(e, EINVAL,
			"%s: file:// needs an absolute path, "
			"as in file:///srv/backup",
			repo);
	return 0;
}
