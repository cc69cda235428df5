/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore replicate: databases become sources, commit by commit. */
#include "tools/replicate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "repo/address.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "tools/parse.h"

#define EVENTS_PAUSE_MS 4 /* between two looks at what has changed */
#define FLUSH_NS (60 * NS_PER_S)
#define POLL_MS 1000
#define QUEUE_LIMIT (1ull << 30)

enum {
	OPTION_HOST = OPTION_OWN,
	OPTION_SOURCE,
	OPTION_ONCE,
	OPTION_SYNC,
	OPTION_SNAPSHOT,
	OPTION_STATE_DIR,
	OPTION_PATTERN,
	OPTION_QUEUE_LIMIT,
	OPTION_LIMIT_UPLOAD,
	OPTION_RESTORE,
};

static const struct option own[] = {
	{ "host", required_argument, NULL, OPTION_HOST },
	{ "source", required_argument, NULL, OPTION_SOURCE },
	{ "once", no_argument, NULL, OPTION_ONCE },
	{ "sync-interval", required_argument, NULL, OPTION_SYNC },
	{ "snapshot-interval", required_argument, NULL, OPTION_SNAPSHOT },
	{ "state-dir", required_argument, NULL, OPTION_STATE_DIR },
	{ "pattern", required_argument, NULL, OPTION_PATTERN },
	{ "queue-limit", required_argument, NULL, OPTION_QUEUE_LIMIT },
	{ "limit-upload", required_argument, NULL, OPTION_LIMIT_UPLOAD },
	{ "restore-missing", no_argument, NULL, OPTION_RESTORE },
	{ NULL, 0, NULL, 0 },
};

/* -- Signals, systemd
 * ------------------------------------------------------------ */

static int signal_pipe[2] = { -1, -1 };
static volatile sig_atomic_t signalled;

static void
on_signal(int signal)
{
	const char byte = 0;
	int saved = errno;

	if (signalled)
		_exit(128 + signal);
	signalled = signal;
	if (write(signal_pipe[1], &byte, 1) < 0)
		_exit(128 + signal);
	errno = saved;
}

/* SIGTERM and SIGINT end the loop, a second one ends the process. */
static int
take_signals(struct err *e)
{
	const struct sigaction end = { .sa_handler = on_signal };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK))
		return err_sys(e, errno, "pipe");
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	return 0;
}

/* sd_notify(3), if systemd wants to be told. */
static void
notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	auto_close int fd = -1;

	if (!path || (*path != '/' && *path != '@') ||
		strlen(path) >= sizeof(sa.sun_path))
		return;
	memcpy(sa.sun_path, path, strlen(path));
	if (*path == '@')
		sa.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		sendto(fd, state, strlen(state), MSG_NOSIGNAL,
			(struct sockaddr *)&sa,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				    strlen(path)));
}

/* -- The loop
 * -------------------------------------------------------------------- */

static size_t
count_phase(struct replicate *r, enum replication_phase phase)
{
	struct replication_status s;
	size_t n = 0;

	for (size_t i = 0; i < replicator_count(r->replicator); i++) {
		replication_status(replicator_get(r->replicator, i), &s);
		n += s.phase == phase;
	}
	return n;
}

static void
tell_systemd(struct replicate *r)
{
	static int64_t last_ns;
	auto_free char *state = NULL;
	int64_t now = clock_mono_ns();

	if (!getenv("NOTIFY_SOCKET") || now - last_ns < NS_PER_S)
		return;
	last_ns = now;
	state = xasprintf("STATUS=%zu of %zu databases are replicated",
		count_phase(r, REPLICATION_RUNNING),
		replicator_count(r->replicator));
	notify(state);
}

static void
drain(int fd)
{
	uint64_t value;

	while (read(fd, &value, sizeof(value)) > 0)
		continue;
}

/* All that there is has been lost to other replicators. */
static bool
all_lost(struct replicate *r)
{
	size_t n = replicator_count(r->replicator);

	return n && count_phase(r, REPLICATION_LOST) == n && !r->pattern;
}

static void
run(struct replicate *r)
{
	struct pollfd fds[REPLICATE_CLIENTS_MAX + 4];
	int64_t events_ns = 0;
	size_t n;

	while (!signalled && !all_lost(r)) {
		bool pause = clock_mono_ns() < events_ns;
		bool blind = replicate_watch_fd(r->watch) < 0;

		fds[0] = (struct pollfd){ signal_pipe[0], POLLIN, 0 };
		fds[1] = (struct pollfd){ replicator_fd(r->replicator), POLLIN,
			0 };
		fds[2] = (struct pollfd){
			pause ? -1 : replicate_watch_fd(r->watch), POLLIN, 0
		};
		n = 3 + replicate_control_poll(r->control, fds + 3);
		if (poll(fds, n,
			    pause   ? EVENTS_PAUSE_MS
			    : blind ? POLL_MS
				    : -1) < 0 &&
			errno != EINTR)
			break;
		if (fds[1].revents)
			drain(replicator_fd(r->replicator));
		if (fds[2].revents) {
			replicate_watch_read(r->watch);
			events_ns =
				clock_mono_ns() + EVENTS_PAUSE_MS * 1000000LL;
		}
		if (blind)
			replicate_watch_poll(r->watch);
		replicate_control_serve(r->control);
		tell_systemd(r);
	}
}

/* -- Once
 * ------------------------------------------------------------------------- */

/* Wait for one database; STATUS_DONE or, printed, STATUS_FAILED. */
static int
wait_for(struct replicate *r, size_t i, uint64_t number)
{
	struct replication *rp = replicator_get(r->replicator, i);
	struct err e = ERR_INIT;
	struct pollfd fds[2];
	int done;

	while (!(done = replication_synced(rp, number, true, &e))) {
		fds[0] = (struct pollfd){ signal_pipe[0], POLLIN, 0 };
		fds[1] = (struct pollfd){ replicator_fd(r->replicator), POLLIN,
			0 };
		if (signalled)
			return 128 + signalled;
		poll(fds, 2, POLL_MS);
		drain(replicator_fd(r->replicator));
	}
	return done < 0 ? tool_fail(&e) : STATUS_DONE;
}

static int
run_once(struct replicate *r)
{
	size_t n = replicator_count(r->replicator);
	auto_free uint64_t *numbers = xcalloc(n + 1, sizeof(*numbers));
	int status = n ? STATUS_DONE : STATUS_FAILED, one;

	for (size_t i = 0; i < n; i++) {
		numbers[i] = replication_sync(replicator_get(r->replicator, i));
		replicator_look(r->replicator, i);
	}
	for (size_t i = 0; i < n && !signalled; i++) {
		one = wait_for(r, i, numbers[i]);
		if (one)
			status = one;
	}
	return signalled ? 128 + signalled : status;
}

/* -- Beginning and end
 * ------------------------------------------------------------- */

static int
set_up(struct replicate *r, int n, char **paths, struct err *e)
{
	struct unlock_asker asker = { .unlock = &r->options.unlock };
	const struct history_open_options open = { .secret = unlock_ask,
		.ctx = &asker,
		.cache_dir = r->options.cache_dir };
	const struct replicator_options o = { .repo = r->options.repo,
		.open = &open,
		.host = r->host,
		.state_dir = r->state_dir,
		.sync_ns = r->sync_ns,
		.snapshot_ns = r->snapshot_ns,
		.queue_limit = r->queue_limit,
		.limit_upload = r->limit_upload,
		.upload_threads = n > 1 || r->pattern ? 2 : 1,
		.silent = r->once };
	int code = replicator_new(&o, &r->replicator, e);

	unlock_release(&asker.secret);
	if (code)
		return code;
	r->watch = replicate_watch_new(r, !r->once);
	for (int i = 0; i < n && !code; i++)
		code = replicate_watch_add(r->watch, paths[i], e);
	return code;
}

static void
warn_of_library(void)
{
	if (guard_library_is_vulnerable())
		log_warn("SQLite %s can lose commits when checkpoints race "
			 "(3.7.0 to 3.51.2): ours do not, the applications' "
			 "may; upgrade the library they use",
			sqlite3_libversion());
}

static int
run_all(struct replicate *r)
{
	struct err e = ERR_INIT;
	int status = STATUS_DONE;

	if (replicator_start(r->replicator, &e))
		return tool_fail(&e);
	if (r->once) {
		status = run_once(r);
		replicator_stop(r->replicator, 0);
		return status;
	}
	if (replicate_control_new(r, &r->control, &e))
		return tool_fail(&e);
	notify("READY=1");
	run(r);
	notify("STOPPING=1");
	replicator_stop(r->replicator, FLUSH_NS);
	return count_phase(r, REPLICATION_LOST) ? STATUS_FAILED : STATUS_DONE;
}

static int
open_and_run(struct replicate *r, int n, char **paths)
{
	struct err e = ERR_INIT;
	int status = 0, code;

	if (!options_repository(&r->options))
		return STATUS_USAGE;
	if (r->options.offline)
		return tool_usage("replicate --offline: it writes to the"
				  " repository");
	if (r->source && (n > 1 || r->pattern))
		return tool_usage("--source is for one database");
	if (r->restore)
		status = replicate_restore(r, n, paths);
	if (status)
		return status;
	code = set_up(r, n, paths, &e);
	if (code)
		status = r->replicator ? tool_fail(&e) : tool_fail_open(&e);
	if (!status && take_signals(&e))
		status = tool_fail(&e);
	if (!status && !r->once)
		warn_of_library();
	if (!status)
		status = run_all(r);
	replicate_control_free(r->control);
	replicator_free(r->replicator);
	replicate_watch_free(r->watch);
	return status;
}

static int
take_value(struct replicate *r, int opt)
{
	int bad = 0;

	switch (opt) {
	case OPTION_HOST:
		r->host = optarg;
		break;
	case OPTION_SOURCE:
		r->source = optarg;
		break;
	case OPTION_ONCE:
		r->once = true;
		break;
	case OPTION_RESTORE:
		r->restore = true;
		break;
	case OPTION_STATE_DIR:
		r->state_dir = optarg;
		break;
	case OPTION_PATTERN:
		r->pattern = optarg;
		break;
	case OPTION_SYNC:
		bad = parse_duration(optarg, &r->sync_ns);
		break;
	case OPTION_SNAPSHOT:
		bad = parse_duration(optarg, &r->snapshot_ns);
		break;
	case OPTION_QUEUE_LIMIT:
		bad = parse_size(optarg, &r->queue_limit);
		break;
	case OPTION_LIMIT_UPLOAD:
		bad = parse_size(optarg, &r->limit_upload);
		break;
	}
	return bad ? tool_usage("%s: not a value of this option", optarg) : 0;
}

static int
replicate_command(const struct command *c, int argc, char **argv)
{
	struct replicate r = { .sync_ns = NS_PER_S,
		.snapshot_ns = 24 * 3600 * NS_PER_S,
		.queue_limit = QUEUE_LIMIT };
	int opt, status;

	options_begin(&r.options, c, argc, argv, "", own);
	while ((opt = options_next(&r.options)) != -1) {
		status = take_value(&r, opt);
		if (status)
			return status;
	}
	status = options_arguments(&r.options, 1, -1);
	if (status)
		return status;
	if (!r.host)
		r.host = address_host();
	if (!r.state_dir)
		r.state_dir = r.state_dir_owned = replicate_state_dir();
	status = open_and_run(&r, argc - optind, argv + optind);
	free(r.state_dir_owned);
	return status;
}

const struct command command_replicate = {
	.name = "replicate",
	.synopsis = "[-r REPO] [OPTIONS] DB...",
	.summary = "Replicate SQLite databases, commit by commit",
	.help = "      --host H               instead of this machine's name\n"
		"      --source NAME          instead of the file's name\n"
		"      --once                 until everything committed now "
		"is\n"
		"                             stored, then end\n"
		"      --sync-interval S      time between two points (1s)\n"
		"      --snapshot-interval S  time between two snapshots "
		"(24h)\n"
		"      --pattern GLOB         of databases in directories\n"
		"      --state-dir DIR        for what is not stored yet\n"
		"                             "
		"($XDG_STATE_HOME/yore/replicate)\n"
		"      --queue-limit SIZE     of that, for each database (1G)\n"
		"      --limit-upload RATE    bytes a second, like 10M\n"
		"      --restore-missing      bring back a database that is "
		"not there\n",
	.run = replicate_command,
};
