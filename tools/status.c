/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore status: how far replicators are; yore sync: have them catch up. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "tools/parse.h"
#include "tools/print.h"
#include "tools/replicate.h"

#define MAX_LAG_NS (60 * NS_PER_S)

enum { OPTION_STATE_DIR = OPTION_OWN, OPTION_MAX_LAG, OPTION_WAIT };

static const struct option own[] = {
	{ "state-dir", required_argument, NULL, OPTION_STATE_DIR },
	{ "max-lag", required_argument, NULL, OPTION_MAX_LAG },
	{ "wait", no_argument, NULL, OPTION_WAIT },
	{ NULL, 0, NULL, 0 },
};

/* One run of either command. */
struct asking {
	struct options options;
	char *state_dir;
	int64_t max_lag_ns;
	bool wait;
	json_t *databases; /* absolute paths; empty: all */
	json_t *found;	   /* paths that were answered for, as keys */
	size_t unhealthy, failed;
};

static int
take_options(struct asking *a, const struct command *c, int argc, char **argv)
{
	int opt;

	*a = (struct asking){ .max_lag_ns = MAX_LAG_NS };
	options_begin(&a->options, c, argc, argv, "", own);
	while ((opt = options_next(&a->options)) != -1) {
		if (opt == OPTION_STATE_DIR) {
			free(a->state_dir);
			a->state_dir = xstrdup(optarg);
		} else if (opt == OPTION_WAIT) {
			a->wait = true;
		} else if (parse_duration(optarg, &a->max_lag_ns)) {
			return tool_usage("%s: not a time", optarg);
		}
	}
	if (!a->state_dir)
		a->state_dir = replicate_state_dir();
	a->databases = json_array();
	a->found = json_object();
	for (int i = optind; i < argc; i++) {
		auto_free char *path = realpath(argv[i], NULL);

		json_array_append_new(
			a->databases, json_string(path ? path : argv[i]));
	}
	return 0;
}

static void
release(struct asking *a)
{
	free(a->state_dir);
	json_decref(a->databases);
	json_decref(a->found);
}

/* Databases that no replicator has: how many; each is named. */
static size_t
count_missing(const struct asking *a)
{
	size_t i, n = 0;
	json_t *one;

	json_array_foreach(a->databases, i, one)
	{
		const char *path = json_string_value(one);

		if (json_object_get(a->found, path))
			continue;
		log_error("%s is not replicated", path);
		n++;
	}
	return n;
}

/* Ask all replicators; the exit status so far. */
static int
ask(struct asking *a, json_t *request, void (*line)(void *ctx, json_t *line))
{
	struct err e = ERR_INIT;
	int n = replicate_ask(a->state_dir, request, line, a, &e);

	json_decref(request);
	if (n < 0)
		return tool_fail(&e);
	if (n == 0) {
		log_error("no replicator runs with its state in %s",
			a->state_dir);
		return STATUS_FAILED;
	}
	return count_missing(a) ? STATUS_FAILED : STATUS_DONE;
}

static bool
is_asked_for(const struct asking *a, const char *path)
{
	json_t *one;
	size_t i;

	json_array_foreach(a->databases, i,
		one) if (path &&
			 !strcmp(json_string_value(one), path)) return true;
	return !json_array_size(a->databases);
}

static const char *
text_of(json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? text : "";
}

static int64_t
number_of(json_t *line, const char *key)
{
	return json_integer_value(json_object_get(line, key));
}

/* -- Status
 * ------------------------------------------------------------------------ */

/* What went wrong, once; NULL: nothing did.  Given. */
static char *
last_error(json_t *line)
{
	const char *error = text_of(line, "last_error");
	auto_free char *shown = print_escaped(error, strlen(error));

	if (!*error)
		return NULL;
	return xasprintf(
		"; last error %s: %s", text_of(line, "last_error_time"), shown);
}

static void
print_text(json_t *line)
{
	char lag[PRINT_MAX], queue[PRINT_MAX];
	const char *path = text_of(line, "path"),
		   *stored = text_of(line, "stored"),
		   *captured = text_of(line, "captured"),
		   *error = text_of(line, "error");
	auto_free char *shown = print_escaped(path, strlen(path));
	auto_free char *why = print_escaped(error, strlen(error));
	auto_free char *last = last_error(line);

	printf("%s: %s; stored %s, captured %s, lag %s, queue %s%s%s%s\n",
		shown, text_of(line, "state"), *stored ? stored : "nothing yet",
		*captured ? captured : "nothing yet",
		print_duration(
			lag, number_of(line, "lag_milliseconds") * 1000000),
		print_size(queue, (uint64_t)number_of(line, "queue_bytes")),
		*why ? "; " : "", why, *why || !last ? "" : last);
}

static void
take_status(void *ctx, json_t *line)
{
	struct asking *a = ctx;
	bool failing = json_is_true(json_object_get(line, "failing"));
	int64_t lag_ns = number_of(line, "lag_milliseconds") * 1000000;
	const char *state = text_of(line, "state");

	if (!is_asked_for(a, text_of(line, "path")))
		return;
	json_object_set_new(a->found, text_of(line, "path"), json_true());
	if (lag_ns > a->max_lag_ns || !strcmp(state, "lost") ||
		!strcmp(state, "waiting") || (failing && lag_ns))
		a->unhealthy++;
	if (a->options.json) {
		char *text = json_dumps(line, JSON_COMPACT);

		puts(text ? text : "{}");
		free(text);
	} else if (!a->options.quiet) {
		print_text(line);
	}
}

static int
status_command(const struct command *c, int argc, char **argv)
{
	struct asking a;
	int status = take_options(&a, c, argc, argv);

	if (!status)
		status = ask(&a, json_pack("{s:s}", "command", "status"),
			take_status);
	if (!status && a.unhealthy)
		status = STATUS_FAILED;
	release(&a);
	return status;
}

const struct command command_status = {
	.name = "status",
	.synopsis = "[OPTIONS] [DB...]",
	.summary = "Tell how far the replication of databases is",
	.help = "      --state-dir DIR        of the replicator\n"
		"      --max-lag S            a longer one is unhealthy "
		"(60s)\n",
	.run = status_command,
};

/* -- Sync
 * -------------------------------------------------------------------------- */

static void
take_sync(void *ctx, json_t *line)
{
	struct asking *a = ctx;
	const char *error = text_of(line, "error");

	if (!strcmp(text_of(line, "type"), "sync"))
		json_object_set_new(
			a->found, text_of(line, "path"), json_true());
	if (strcmp(text_of(line, "type"), "end") != 0)
		return;
	if (!json_is_true(json_object_get(line, "done"))) {
		log_error("%s", error);
		a->failed++;
	}
}

static int
sync_command(const struct command *c, int argc, char **argv)
{
	struct asking a;
	int status = take_options(&a, c, argc, argv);

	if (!status)
		status = ask(&a,
			json_pack("{s:s, s:b, s:O}", "command", "sync", "wait",
				(int)a.wait, "databases", a.databases),
			take_sync);
	if (!status && a.failed)
		status = STATUS_FAILED;
	release(&a);
	return status;
}

const struct command command_sync = {
	.name = "sync",
	.synopsis = "[--wait] [OPTIONS] [DB...]",
	.summary = "Have what is committed now captured, or stored",
	.help = "      --wait                 until it is in the repository\n"
		"      --state-dir DIR        of the replicator\n",
	.run = sync_command,
};
