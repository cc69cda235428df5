/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yore mount: becomes yorefs, which is another program so that a mount
 * contains nothing that can write.  Options that yore has and yorefs has not
 * become -o options; secrets stay where they are (environment, files,
 * descriptors).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "tools/options.h"

#define ARGUMENTS_MAX 16

struct mount {
	struct options options;
	bool foreground;
	struct buf mount_options; /* for -o, separated by commas */
};

/* Append name=value; commas and backslashes of the value are escaped. */
static void
add_option(struct mount *m, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(&m->mount_options, "%s%s=", m->mount_options.len ? "," : "",
		name);
	for (; *value; value++)
		buf_printf(&m->mount_options, "%s%c",
			strchr(",\\", *value) ? "\\" : "", *value);
}

static void
add_flag(struct mount *m, const char *name)
{
	buf_printf(&m->mount_options, "%s%s", m->mount_options.len ? "," : "",
		name);
}

static void
add_unlock(struct mount *m)
{
	const struct unlock *u = &m->options.unlock;
	char fd[16];

	add_option(m, "key-file", u->key_file);
	add_option(m, "password-file", u->password_file);
	add_option(m, "password-command", u->password_command);
	snprintf(fd, sizeof(fd), "%d", u->password_fd);
	if (u->password_fd >= 0)
		add_option(m, "password-fd", fd);
}

/* The program beside this one, else to be looked for in PATH.  Given. */
static char *
find_program(void)
{
	char self[4096], *slash, *path;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		path = xasprintf("%.*s/yorefs", (int)(slash - self), self);
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return xstrdup("yorefs");
}

static int
become(struct mount *m, const char *address, const char *mountpoint)
{
	auto_free char *program = find_program();
	auto_free char *repo = xstrdup(m->options.repo);
	/* absolute, so that yore umount finds who serves it */
	auto_free char *absolute = realpath(mountpoint, NULL);
	auto_free char *where = xstrdup(absolute ? absolute : mountpoint);
	char name[] = "yorefs", f[] = "-f", v[] = "-v", o[] = "-o",
	     end[] = "--";
	char *argv[ARGUMENTS_MAX] = { name };
	int n = 1;

	add_option(m, "source", address);
	if (m->options.cache_dir && *m->options.cache_dir)
		add_option(m, "cache", m->options.cache_dir);
	else if (m->options.cache_dir)
		add_flag(m, "nocache");
	if (m->options.offline)
		add_flag(m, "offline");
	add_option(m, "format", m->options.format);
	if (m->foreground)
		argv[n++] = f;
	if (m->options.verbose)
		argv[n++] = v;
	if (m->mount_options.len) {
		buf_append(&m->mount_options, "", 1);
		argv[n++] = o;
		argv[n++] = (char *)m->mount_options.data;
	}
	argv[n++] = end;
	argv[n++] = repo;
	argv[n] = where;
	execvp(program, argv);
	log_error("cannot run %s: %s", program, strerror(errno));
	return STATUS_FAILED;
}

static int
take_options(struct mount *m)
{
	int opt;

	while ((opt = options_next(&m->options)) != -1)
		switch (opt) {
		case 'f':
			m->foreground = true;
			break;
		case 'o':
			buf_printf(&m->mount_options, "%s%s",
				m->mount_options.len ? "," : "", optarg);
			break;
		default:
			return STATUS_USAGE;
		}
	return options_arguments(&m->options, 1, 2);
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "foreground", no_argument, NULL, 'f' },
		{ "options", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	struct mount m = { .mount_options = BUF_INIT };
	int status;

	options_begin(&m.options, c, argc, argv, "fo:", own);
	status = take_options(&m);
	if (status == 0 && !options_repository(&m.options))
		status = STATUS_USAGE;
	if (status == 0) {
		add_unlock(&m);
		status = become(&m, argc - optind == 2 ? argv[optind] : NULL,
			argv[argc - 1]);
	}
	buf_release(&m.mount_options);
	return status;
}

const struct command command_mount = {
	.name = "mount",
	.synopsis = "[-r REPO] [-f] [-o OPTIONS] [SOURCE[@TIME[:PATH]]]"
		    " MOUNTPOINT",
	.summary = "Mount history as a file system",
	.help = "  -f, --foreground           do not go into the background\n"
		"  -o, --options OPTION,...   of the mount, see yorefs(8)\n",
	.run = run,
};
