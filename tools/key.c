/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore key: the secrets that open a repository. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "repo/history.h"
#include "repo/store/store.h"
#include "repo/upkeep/keys.h"
#include "tools/agree.h"
#include "tools/json.h"
#include "tools/new_secret.h"
#include "tools/options.h"

enum { OPT_FORCE = OPTION_OWN, OPT_YES, OPT_NEW };

struct key_command {
	struct options o;
	struct unlock fresh; /* where the new secret is */
	struct unlock_asker asker;
	struct history_open_options open;
	const char *argument;
	bool force;
	bool yes;
};

static const char *const kinds[] = {
	[SLOT_OPEN] = "open",
	[SLOT_SCRYPT] = "passphrase",
	[SLOT_KEYFILE] = "key-file",
};

static bool
names_secret(const struct unlock *u)
{
	return u->key_file || u->password_file || u->password_command ||
	       u->password_fd >= 0;
}

/* A secret that is named counts, though an open slot opens, too. */
static int
open_keys(struct key_command *kc, struct keys **k)
{
	struct slot_secret secret;
	struct err e = ERR_INIT;
	int r = keys_open(kc->o.repo, &kc->open, k, &e);

	if (!r && names_secret(&kc->o.unlock)) {
		r = unlock_ask(&kc->asker, &secret, &e);
		if (!r)
			r = keys_prefer(*k, &secret, &e);
	}
	return r ? tool_fail_open(&e) : 0;
}

static int
new_secret(struct key_command *kc, struct slot_secret *s)
{
	struct err e = ERR_INIT;
	int r = unlock_secret(&kc->fresh, true, s, &e);

	return r ? tool_fail_open(&e) : 0;
}

/* -- list ----------------------------------------------------------------------- */

static void
json_slot(const struct keys_slot *s)
{
	json_t *line = json_line("key");

	json_text(line, "id", s->id);
	json_text(line, "kind", s->damaged ? "damaged" : kinds[s->type]);
	if (s->made_ns != STORE_TIME_UNKNOWN)
		json_time_ns(line, "made", s->made_ns);
	json_flag(line, "in_use", s->opened);
	json_print(line);
}

static void
print_slot(const struct keys_slot *s)
{
	char made[HISTORY_TIME_MAX + 1] = "-";

	if (s->made_ns != STORE_TIME_UNKNOWN)
		history_print_time(made, s->made_ns);
	printf("%c %s  %-10s  %s\n", s->opened ? '*' : ' ', s->id,
		s->damaged ? "damaged" : kinds[s->type], made);
}

static int
run_list(struct key_command *kc)
{
	auto_keys struct keys *k = NULL;
	int status = open_keys(kc, &k);
	const struct keys_slot *s;
	size_t n;

	if (status)
		return status;
	s = keys_slots(k, &n);
	for (size_t i = 0; i < n; i++) {
		if (kc->o.json)
			json_slot(&s[i]);
		else
			print_slot(&s[i]);
	}
	return STATUS_DONE;
}

/* -- add, passwd, remove ---------------------------------------------------------- */

static void
tell(const struct key_command *kc, const char *what, const char *id)
{
	if (kc->o.json) {
		json_t *line = json_line("key");

		json_text(line, "id", id);
		json_text(line, "action", what);
		json_print(line);
	} else if (!kc->o.quiet) {
		printf("%s key %s\n", what, id);
	}
}

static int
change(struct key_command *kc, const char *what,
	int (*f)(struct keys *k, const struct slot_secret *s,
		char id[KEYS_ID_LEN + 1], struct err *e))
{
	auto_secret struct slot_secret secret = { .type = SLOT_OPEN };
	auto_keys struct keys *k = NULL;
	struct err e = ERR_INIT;
	char id[KEYS_ID_LEN + 1];
	int status = open_keys(kc, &k);

	if (!status)
		status = new_secret(kc, &secret);
	if (status)
		return status;
	if (f(k, &secret, id, &e) < 0)
		return tool_fail(&e);
	tell(kc, what, id);
	return STATUS_DONE;
}

static int
run_add(struct key_command *kc)
{
	return change(kc, "added", keys_add);
}

static int
run_passwd(struct key_command *kc)
{
	int status = change(kc, "changed to", keys_change);

	if (status == STATUS_DONE && !kc->o.json && !kc->o.quiet)
		printf("The old secret still opens copies of the repository, "
		       "or of its keys/, made before.\nIf it has leaked, make "
		       "a new repository and `yore copy` what is in this "
		       "one.\n");
	return status;
}

static int
run_remove(struct key_command *kc)
{
	auto_keys struct keys *k = NULL;
	struct err e = ERR_INIT;
	char id[KEYS_ID_LEN + 1];
	int status = open_keys(kc, &k), r;

	if (status)
		return status;
	r = keys_remove(k, kc->argument, kc->force, id, &e);
	if (r == -EBUSY)
		err_set(&e, EBUSY, "key %s is in use by this very command; "
			"--force removes it", id);
	if (r)
		return tool_fail(&e);
	tell(kc, "removed", id);
	return STATUS_DONE;
}

/* -- export, import ---------------------------------------------------------------- */

/* To a new file of the user's own, or standard output. */
static int
write_paper(const char *path, const char *text, size_t len)
{
	bool out = strcmp(path, "-") == 0;
	auto_close int fd = out ? dup(STDOUT_FILENO)
				: open(path, O_WRONLY | O_CREAT | O_EXCL |
						     O_CLOEXEC, 0600);
	struct err e = ERR_INIT;
	ssize_t n;

	if (fd < 0) {
		err_sys(&e, errno, "%s", path);
		return tool_fail(&e);
	}
	for (size_t done = 0; done < len; done += (size_t)n) {
		n = write(fd, text + done, len - done);
		if (n <= 0) {
			err_sys(&e, errno, "%s", path);
			return tool_fail(&e);
		}
	}
	if (!out && fsync(fd) < 0) {
		err_sys(&e, errno, "%s", path);
		return tool_fail(&e);
	}
	return STATUS_DONE;
}

static int
export_to(struct key_command *kc, struct keys *k, struct paper *p, char *text)
{
	auto_secret struct slot_secret seal = { .type = SLOT_OPEN };
	bool sealed = new_secret_is_named(&kc->fresh);
	struct err e = ERR_INIT;
	int status = sealed ? new_secret(kc, &seal) : 0;
	size_t len;

	if (status)
		return status;
	if (keys_export(k, sealed ? &seal : NULL, p, &e) < 0)
		return tool_fail(&e);
	len = paper_encode(p, text);
	return write_paper(kc->argument, text, len);
}

static int
run_export(struct key_command *kc)
{
	auto_keys struct keys *k = NULL;
	struct paper *p;
	char *text;
	int status;

	if (kc->fresh.no_passphrase)
		return tool_usage("key export: --open seals nothing; without "
				  "it the key is written as it is");
	if (!kc->yes && !new_secret_is_named(&kc->fresh) &&
		!agree_ask("This writes the key to everything in the repository, "
			"now and in future,\nwhatever passphrases it has. "
			"Go on?"))
		return tool_usage("key export: not without consent: answer y, "
				  "or give --yes");
	status = open_keys(kc, &k);
	if (status)
		return status;
	p = secret_alloc(sizeof(*p));
	text = secret_alloc(PAPER_TEXT_MAX);
	status = export_to(kc, k, p, text);
	secret_free(text, PAPER_TEXT_MAX);
	secret_free(p, sizeof(*p));
	return status;
}

static int
read_paper(const char *path, struct paper *p)
{
	bool in = strcmp(path, "-") == 0;
	auto_close int fd = in ? dup(STDIN_FILENO)
			       : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text = secret_alloc(PAPER_TEXT_MAX);
	struct err e = ERR_INIT;
	size_t len = 0;
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && len < PAPER_TEXT_MAX) {
		n = read(fd, text + len, PAPER_TEXT_MAX - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		err_sys(&e, errno, "%s", path);
	else if (paper_decode(text, len, p, &e) < 0)
		err_prefix(&e, "%s", path);
	secret_free(text, PAPER_TEXT_MAX);
	return e.code ? tool_fail(&e) : 0;
}

static int
run_import(struct key_command *kc)
{
	auto_secret struct slot_secret secret = { .type = SLOT_OPEN };
	struct paper *p = secret_alloc(sizeof(*p));
	struct err e = ERR_INIT;
	char id[KEYS_ID_LEN + 1];
	int status = read_paper(kc->argument, p);

	if (!status)
		status = new_secret(kc, &secret);
	if (!status && keys_import(kc->o.repo, &kc->open, p, &secret, id, &e) < 0)
		status = tool_fail_open(&e);
	else if (!status)
		tell(kc, "added", id);
	secret_free(p, sizeof(*p));
	return status;
}

/* -- The command -------------------------------------------------------------------- */

static const struct action {
	const char *name;
	int (*run)(struct key_command *kc);
	int arguments;
	bool makes; /* a new secret belongs to it */
} actions[] = {
	{ "list", run_list, 0, false },
	{ "add", run_add, 0, true },
	{ "remove", run_remove, 1, false },
	{ "passwd", run_passwd, 0, true },
	{ "export", run_export, 1, true },
	{ "import", run_import, 1, true },
};

static int
parse(struct key_command *kc, const struct action **a)
{
	int opt, status;

	while ((opt = options_next(&kc->o)) != -1) {
		if (opt == OPT_FORCE)
			kc->force = true;
		else if (opt == OPT_YES)
			kc->yes = true;
		else if ((status = new_secret_take(&kc->fresh, opt - OPT_NEW)))
			return status;
	}
	status = options_arguments(&kc->o, 1, 2);
	for (size_t i = 0; i < n_elements(actions) && !status; i++) {
		if (strcmp(actions[i].name, kc->o.argv[optind]) == 0)
			*a = &actions[i];
	}
	if (!status && !*a)
		status = tool_usage("key %s: it is one of list, add, remove, "
				    "passwd, export, import",
			kc->o.argv[optind]);
	if (!status)
		status = options_arguments(
			&kc->o, 1 + (*a)->arguments, 1 + (*a)->arguments);
	if (!status && !(*a)->makes && new_secret_is_named(&kc->fresh))
		status = tool_usage("key %s takes no new secret", (*a)->name);
	kc->argument = kc->o.argv[optind + 1];
	return status;
}

static int
run(const struct command *c, int argc, char **argv)
{
	static const struct option own[] = {
		{ "force", no_argument, NULL, OPT_FORCE },
		{ "yes", no_argument, NULL, OPT_YES },
		NEW_SECRET_OPTIONS(OPT_NEW),
		{ NULL, 0, NULL, 0 },
	};
	struct key_command kc = { .fresh = UNLOCK_INIT };
	const struct action *a = NULL;
	int status;

	options_begin(&kc.o, c, argc, argv, "", own);
	status = parse(&kc, &a);
	if (status)
		return status;
	if (!options_repository(&kc.o))
		return STATUS_USAGE;
	kc.fresh.is_new = true;
	kc.fresh.what = kc.o.repo;
	kc.asker.unlock = &kc.o.unlock;
	kc.open = (struct history_open_options){ .secret = unlock_ask,
		.ctx = &kc.asker };
	secret_no_dump();
	status = a->run(&kc);
	unlock_release(&kc.asker.secret);
	return status;
}

const struct command command_key = {
	.name = "key",
	.synopsis = "-r REPO list | add | remove ID | passwd | export FILE | "
		    "import FILE",
	.summary = "Manage the secrets that open a repository",
	.help = NEW_SECRET_HELP
		"      --force                remove: even the key in use\n"
		"      --yes                  export: do not ask\n",
	.run = run,
};
