/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore init: make an empty repository. */
#include <stdio.h>
#include "repo/write/init.h"
#include "tools/json.h"
#include "tools/options.h"

enum { OPT_NO_PASSPHRASE = OPTION_OWN };

static int
make(const struct options *o)
{
	auto_secret struct slot_secret secret = { .type = SLOT_OPEN };
	struct err e = ERR_INIT;
	char id[33];

	if (unlock_secret(&o->unlock, true, &secret, &e) < 0)
		return tool_fail_open(&e);
	if (repository_init(o->repo, &secret, id, &e) < 0)
		return tool_fail(&e);
	if (o->json) {
		json_t *line = json_line("repository");

		json_text(line, "id", id);
		json_text(line, "location", o->repo);
		json_flag(line, "passphrase", secret.type != SLOT_OPEN);
		json_print(line);
	} else if (!o->quiet) {
		printf("made repository %s in %s\n", id, o->repo);
		if (secret.type == SLOT_OPEN)
			printf("anyone who can read it can read what is backed"
			       " up\n");
	}
	return STATUS_DONE;
}

static bool
names_secret(const struct unlock *u)
{
	return u->key_file || u->password_file || u->password_command ||
	       u->password_fd >= 0;
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "no-passphrase", no_argument, NULL, OPT_NO_PASSPHRASE },
		{ NULL, 0, NULL, 0 },
	};
	struct options o;

	options_begin(&o, c, argc, argv, "", own);
	while (options_next(&o) != -1)
		o.unlock.no_passphrase = true;
	if (options_arguments(&o, 0, 0) || !options_repository(&o))
		return STATUS_USAGE;
	if (o.unlock.no_passphrase && names_secret(&o.unlock))
		return tool_usage("--no-passphrase and a passphrase or key"
				  " file exclude each other");
	return make(&o);
}

const struct command command_init = {
	.name = "init",
	.synopsis = "-r REPO [--no-passphrase | --password-file F | ...]",
	.summary = "Make an empty repository",
	.help = "      --no-passphrase        readable by whoever has the "
		"store\n",
	.run = run,
};
