/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "fs/options.h"

const char options_usage[] =
	"usage: yorefs REPO[#SOURCE[@TIME[:PATH]]] MOUNTPOINT [-f] [-d] [-v]"
	" [-o OPTION,...]\n"
	"\n"
	"  -f  stay in the foreground\n"
	"  -d  say what FUSE does (implies -f)\n"
	"  -v  say more\n"
	"  -o source=SOURCE[@TIME[:PATH]]  mount only that\n"
	"     allow_other         let other users in, as modes and ACLs "
	"permit\n"
	"     refresh=SECONDS     look for new snapshots (60; 0 only on "
	"SIGHUP)\n"
	"     idle=SECONDS        unmount when unused for so long\n"
	"     read-ahead=KIB      of the kernel (root only; 128)\n"
	"     cache=DIR           of remote repositories (see yore(1)), or "
	"nocache\n"
	"     format=NAME         what is there, see yore formats\n"
	"     offline             what is in the cache, nothing else\n"
	"     memory=SIZE         for decoded data (K, M, G)\n"
	"     metrics=PATH        a socket to be asked what the mount does\n"
	"     key-file=FILE, password-file=FILE, password-command=COMMAND,\n"
	"     password-fd=N       how to unlock the repository\n"
	"\n"
	"REPO is /dir or file:///dir; yorefs(8) says more.\n";

/* What fstab lines and mount(8) add that means nothing here, or is so in any
 * case: the mount is always ro, nosuid, nodev and noatime. */
static const char *const ignored[] = { "rw", "ro", "suid", "nosuid", "dev",
	"nodev", "exec", "atime", "noatime", "diratime", "nodiratime",
	"relatime", "norelatime", "strictatime", "lazytime", "async", "sync",
	"dirsync", "defaults", "auto", "noauto", "user", "nouser", "users",
	"owner", "group", "_netdev", "nofail", "remount", "rootcontext" };

/* Handed on to mount(2). */
static const char *const for_kernel[] = { "noexec", "context", "fscontext",
	"defcontext" };

static bool
is_one_of(const char *name, size_t len, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(list[i]) == len && strncmp(name, list[i], len) == 0)
			return true;
	}
	return false;
}

static void
set_string(char **to, const char *value)
{
	free(*to);
	*to = xstrdup(value);
}

static int
parse_number(const char *name, const char *value, int *out, struct err *e)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (errno || end == value || *end || n < 0 || n > 1000000000)
		return err_set(e, EINVAL, "%s=%s: not a number", name, value);
	*out = (int)n;
	return 0;
}

static int
parse_size(const char *value, size_t *out, struct err *e)
{
	static const char units[] = "KMGT";
	unsigned long long n;
	const char *unit;
	char *end;
	int shift = 0;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (*end && (unit = strchr(units, *end & ~0x20))) {
		shift = 10 * (int)(unit - units + 1);
		end++;
	}
	if (errno || end == value || *end || *value == '-' ||
		n > (SIZE_MAX >> shift))
		return err_set(
			e, EINVAL, "memory=%s: not a size (64M, 1G)", value);
	*out = (size_t)n << shift;
	return 0;
}

/* -- -o ------------------------------------------------------------------ */

static bool
set_flag(struct options *o, const char *name)
{
	if (strcmp(name, "allow_other") == 0)
		o->allow_other = true;
	else if (strcmp(name, "default_permissions") == 0)
		o->default_permissions = true;
	else if (strcmp(name, "nostore") == 0)
		o->store = false;
	else if (strcmp(name, "offline") == 0)
		o->offline = true;
	else if (strcmp(name, "nocache") == 0)
		set_string(&o->cache_dir, "");
	else if (strcmp(name, "debug") == 0)
		o->debug = o->foreground = true;
	else
		return false;
	return true;
}

static int
set_value(struct options *o, const char *name, const char *value, struct err *e)
{
	if (strcmp(name, "refresh") == 0)
		return parse_number(name, value, &o->refresh_s, e);
	if (strcmp(name, "idle") == 0)
		return parse_number(name, value, &o->idle_s, e);
	if (strcmp(name, "read-ahead") == 0)
		return parse_number(name, value, &o->read_ahead_kib, e);
	if (strcmp(name, "password-fd") == 0)
		return parse_number(name, value, &o->password_fd, e);
	if (strcmp(name, "memory") == 0)
		return parse_size(value, &o->memory, e);
	if (strcmp(name, "source") == 0)
		set_string(&o->address, value);
	else if (strcmp(name, "format") == 0)
		set_string(&o->format, value);
	else if (strcmp(name, "cache") == 0)
		set_string(&o->cache_dir, value);
	else if (strcmp(name, "metrics") == 0)
		set_string(&o->metrics, value);
	else if (strcmp(name, "key-file") == 0)
		set_string(&o->key_file, value);
	else if (strcmp(name, "password-file") == 0)
		set_string(&o->password_file, value);
	else if (strcmp(name, "password-command") == 0)
		set_string(&o->password_command, value);
	else
		return err_set(e, EINVAL, "unknown option %s", name);
	return 0;
}

static void
hand_on(struct options *o, const char *text)
{
	char *joined =
		o->kernel ? xasprintf("%s,%s", o->kernel, text) : xstrdup(text);

	free(o->kernel);
	o->kernel = joined;
}

/* One option; text is ours to cut. */
static int
parse_one(struct options *o, char *text, struct err *e)
{
	size_t len = strcspn(text, "=");

	if (len == 0 || strncmp(text, "x-", 2) == 0 ||
		strncmp(text, "comment=", 8) == 0 ||
		is_one_of(text, len, ignored, n_elements(ignored)))
		return 0;
	if (is_one_of(text, len, for_kernel, n_elements(for_kernel))) {
		hand_on(o, text);
		return 0;
	}
	if (text[len] != '=')
		return set_flag(o, text)
			       ? 0
			       : err_set(e, EINVAL, "unknown option %s", text);
	text[len] = '\0';
	return set_value(o, text, text + len + 1, e);
}

/* Options are separated by commas; "\," is a comma in a value. */
static int
parse_list(struct options *o, const char *text, struct err *e)
{
	auto_free char *one = xmalloc(strlen(text) + 1);
	size_t n = 0;

	for (;; text++) {
		if (*text == '\\' && (text[1] == ',' || text[1] == '\\')) {
			one[n++] = *++text;
			continue;
		}
		if (*text && *text != ',') {
			one[n++] = *text;
			continue;
		}
		one[n] = '\0';
		if (parse_one(o, one, e) != 0)
			return -EINVAL;
		if (!*text)
			return 0;
		n = 0;
	}
}

/* -- The rest ------------------------------------------------------------ */

char *
options_local_path(const char *repo)
{
	const char *scheme = strstr(repo, "://");

	if (!scheme)
		return xstrdup(repo);
	return strncmp(repo, "file://", 7) == 0 ? xstrdup(repo + 7) : NULL;
}

/* REPO#ADDRESS, unless a directory has that very name. */
static void
split_repo(struct options *o)
{
	auto_free char *local = options_local_path(o->repo);
	char *hash = strrchr(o->repo, '#');
	struct stat st;

	if (!hash || (local && stat(local, &st) == 0))
		return;
	if (!o->address)
		o->address = xstrdup(hash + 1);
	*hash = '\0';
}

static int
parse_flag(struct options *o, const char *arg, struct err *e)
{
	if (strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0)
		o->what = OPTIONS_HELP;
	else if (strcmp(arg, "-V") == 0 || strcmp(arg, "--version") == 0)
		o->what = OPTIONS_VERSION;
	else if (strcmp(arg, "-f") == 0)
		o->foreground = true;
	else if (strcmp(arg, "-d") == 0)
		o->foreground = o->debug = true;
	else if (strcmp(arg, "-v") == 0)
		o->verbose = true;
	else if (strcmp(arg, "-n") != 0 && strcmp(arg, "-s") != 0)
		return err_set(e, EINVAL, "unknown option %s", arg);
	return 0;
}

static int
take_operand(struct options *o, const char *arg, struct err *e)
{
	char **to = !o->repo ? &o->repo : &o->mountpoint;

	if (*to)
		return err_set(e, EINVAL,
			"one REPO and one MOUNTPOINT are"
			" wanted, and there is also %s",
			arg);
	*to = xstrdup(arg);
	return 0;
}

int
options_parse(int argc, char **argv, struct options *o, struct err *e)
{
	bool flags = true;
	int rc = 0;

	*o = (struct options){
		.refresh_s = 60, .store = true, .password_fd = -1
	};
	for (int i = 1; i < argc && rc == 0; i++) {
		const char *arg = argv[i];

		if (!flags || arg[0] != '-' || !arg[1])
			rc = take_operand(o, arg, e);
		else if (strcmp(arg, "--") == 0)
			flags = false;
		else if (strncmp(arg, "-o", 2) != 0)
			rc = parse_flag(o, arg, e);
		else if (arg[2] || i + 1 < argc)
			rc = parse_list(o, arg[2] ? arg + 2 : argv[++i], e);
		else
			rc = err_set(e, EINVAL, "-o wants options");
	}
	if (rc != 0 || o->what != OPTIONS_MOUNT)
		return rc;
	if (!o->mountpoint)
		return err_set(e, EINVAL,
			"REPO and MOUNTPOINT are wanted:"
			" yorefs -h says more");
	split_repo(o);
	return 0;
}

void
options_release(struct options *o)
{
	free(o->repo);
	free(o->address);
	free(o->mountpoint);
	free(o->kernel);
	free(o->key_file);
	free(o->password_file);
	free(o->password_command);
	free(o->metrics);
	free(o->cache_dir);
	free(o->format);
}
