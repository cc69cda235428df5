/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/options.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/jansson.h"
#include "repo/base/log.h"
#include "repo/store/s3_config.h"
#include "tools/parse.h"

enum {
	COMMON_PASSWORD_FILE = 256,
	COMMON_PASSWORD_COMMAND,
	COMMON_PASSWORD_FD,
	COMMON_KEY_FILE,
	COMMON_ENDPOINT,
	COMMON_CACHE_DIR,
	COMMON_NO_CACHE,
	COMMON_OFFLINE,
	COMMON_FORMAT,
	COMMON_JSON,
	COMMON_HELP,
};

static const struct option common[] = {
	{ "repository", required_argument, NULL, 'r' },
	{ "password-file", required_argument, NULL, COMMON_PASSWORD_FILE },
	{ "password-command", required_argument, NULL,
		COMMON_PASSWORD_COMMAND },
	{ "password-fd", required_argument, NULL, COMMON_PASSWORD_FD },
	{ "key-file", required_argument, NULL, COMMON_KEY_FILE },
	{ "endpoint", required_argument, NULL, COMMON_ENDPOINT },
	{ "cache-dir", required_argument, NULL, COMMON_CACHE_DIR },
	{ "no-cache", no_argument, NULL, COMMON_NO_CACHE },
	{ "offline", no_argument, NULL, COMMON_OFFLINE },
	{ "format", required_argument, NULL, COMMON_FORMAT },
	{ "json", no_argument, NULL, COMMON_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, COMMON_HELP },
};

static const char common_help[] =
	"  -r, --repository REPO      the repository (or YORE_REPOSITORY)\n"
	"      --password-file F      read the passphrase from a file\n"
	"      --password-command C   run C and read the passphrase from it\n"
	"      --password-fd N        read the passphrase from descriptor N\n"
	"      --key-file F           unlock with a key file\n"
	"      --endpoint URL         of the S3 service of s3://BUCKET/PREFIX\n"
	"      --cache-dir DIR        for what is read of remote repositories\n"
	"                             (or YORE_CACHE_DIR; $XDG_CACHE_HOME/yore,\n"
	"                             ~/.cache/yore)\n"
	"      --no-cache             keep nothing of them on this disk\n"
	"      --offline              read them from this disk only\n"
	"      --format NAME          what is there (yore formats lists them)\n"
	"      --json                 print JSON lines, see yore-json(5)\n"
	"  -q, --quiet                print only errors\n"
	"  -v, --verbose              print more\n"
	"      --help                 print this\n";

void
options_begin(struct options *o, const struct command *c, int argc, char **argv,
	const char *shorts, const struct option *own)
{
	static char name[64];
	size_t n = 0;

	*o = (struct options){
		.command = c, .argc = argc, .argv = argv, .unlock = UNLOCK_INIT,
		.cache_dir = getenv("YORE_CACHE_DIR")
	};
	snprintf(o->shorts, sizeof(o->shorts), "r:qv%s", shorts);
	for (size_t i = 0; i < n_elements(common); i++)
		o->longs[n++] = common[i];
	for (; own && own->name; own++) {
		assert(n < OPTIONS_MAX - 1);
		o->longs[n++] = *own;
	}
	/* getopt's messages begin with it */
	snprintf(name, sizeof(name), "yore %s", c->name);
	argv[0] = name;
	optind = 1;
}

static void
print_help(const struct command *c)
{
	printf("usage: yore %s %s\n%s.\n\n%s%s", c->name, c->synopsis,
		c->summary, c->help, common_help);
	exit(tool_finish(STATUS_DONE));
}

static void
set_fd(struct options *o, const char *text)
{
	uint64_t fd;

	if (parse_number(text, 0, 1 << 20, &fd) < 0)
		exit(tool_usage("--password-fd %s: not a descriptor", text));
	o->unlock.password_fd = (int)fd;
}

static void
set_verbosity(struct options *o, int opt)
{
	if (opt == 'q')
		o->quiet = true;
	else
		o->verbose++;
	log_set_level(o->quiet	       ? LOG_LEVEL_ERROR
		      : o->verbose > 1 ? LOG_LEVEL_DEBUG
		      : o->verbose     ? LOG_LEVEL_INFO
				       : LOG_LEVEL_WARN);
}

/* Take a common option; false when it is the command's own. */
static bool
take_common(struct options *o, int opt)
{
	switch (opt) {
	case 'r':
		o->repo = optarg;
		return true;
	case COMMON_PASSWORD_FILE:
		o->unlock.password_file = optarg;
		return true;
	case COMMON_PASSWORD_COMMAND:
		o->unlock.password_command = optarg;
		return true;
	case COMMON_PASSWORD_FD:
		set_fd(o, optarg);
		return true;
	case COMMON_KEY_FILE:
		o->unlock.key_file = optarg;
		return true;
	case COMMON_ENDPOINT:
		o->endpoint = optarg;
		return true;
	case COMMON_CACHE_DIR:
		o->cache_dir = optarg;
		return true;
	case COMMON_NO_CACHE:
		o->cache_dir = "";
		return true;
	case COMMON_OFFLINE:
		o->offline = true;
		return true;
	case COMMON_FORMAT:
		o->format = optarg;
		return true;
	case COMMON_JSON:
		jansson_functions(); /* not in the middle of what it is to tell */
		o->json = true;
		return true;
	case 'q':
	case 'v':
		set_verbosity(o, opt);
		return true;
	default:
		return false;
	}
}

int
options_next(struct options *o)
{
	int opt;

	do {
		opt = (o->long_only ? getopt_long_only : getopt_long)(
			o->argc, o->argv, o->shorts, o->longs, NULL);
		if (opt == '?')
			exit(STATUS_USAGE);
		if (opt == COMMON_HELP)
			print_help(o->command);
	} while (take_common(o, opt));
	return opt;
}

int
options_arguments(const struct options *o, int min, int max)
{
	int n = o->argc - optind;

	if (n < min || (max >= 0 && n > max))
		return tool_usage("usage: yore %s %s", o->command->name,
			o->command->synopsis);
	return 0;
}

int
options_number(const char *option, const char *what, uint64_t min,
	uint64_t max, uint64_t *v)
{
	if (parse_number(optarg, min, max, v) == 0)
		return 0;
	return tool_usage("%s %s: not %s", option, optarg, what);
}

int
options_duration(const char *option, const char *what, int64_t *ns)
{
	if (parse_duration(optarg, ns) == 0 && *ns > 0)
		return 0;
	return tool_usage("%s %s: not %s", option, optarg, what);
}

/* What the repository is called from now on, for the life of the process. */
static bool
add_endpoint(struct options *o)
{
	static char *address;

	free(address);
	address = s3_config_with_endpoint(o->repo, o->endpoint);
	if (!address)
		tool_usage("--endpoint is for s3:// repositories, not %s",
			o->repo);
	else
		o->repo = address;
	return address != NULL;
}

const char *
options_repository(struct options *o)
{
	if (!o->repo)
		o->repo = getenv("YORE_REPOSITORY");
	if (!o->repo || !*o->repo) {
		tool_usage("no repository: give -r REPO or set"
			   " YORE_REPOSITORY");
		return NULL;
	}
	if (o->endpoint && !add_endpoint(o))
		return NULL;
	o->unlock.what = o->repo;
	return o->repo;
}
