/* SPDX-License-Identifier: GPL-2.0-or-later */
/* yore backup: each path becomes a new snapshot of its source. */
#include "tools/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/address.h"
#include "tools/count.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/progress.h"

#define JSON_STATUS_NS NS_PER_S

/* One source of a run. */
struct run {
	const struct backup *b;
	char *path; /* absolute */
	char *name;
	int64_t last_status_ns;
	struct backup_input input;
	struct count *count;
};

/* -- What the writer tells
 * --------------------------------------------------------- */

static void
report(void *ctx, const char *path, int code, const char *text)
{
	const struct run *r = ctx;

	progress_clear();
	if (r->b->options.json) {
		json_t *line = json_line("error");

		json_name(line, "path", path, strlen(path));
		json_text(line, "code",
			strerrorname_np(code) ? strerrorname_np(code) : "EIO");
		json_name(line, "message", text, strlen(text));
		json_print(line);
		return;
	}
	log_error("%s", text);
}

static void
print_status(const struct run *r, const struct backup_progress *p,
	const struct progress_state *s)
{
	json_t *line = json_line("status");
	int64_t eta = progress_eta(s);

	json_name(line, "host", r->b->host, strlen(r->b->host));
	json_name(line, "source", r->name, strlen(r->name));
	json_u64(line, "files", p->files);
	json_u64(line, "entries", p->entries);
	json_u64(line, "bytes", p->bytes);
	json_u64(line, "new_bytes", p->new_bytes);
	json_u64(line, "stored_bytes", p->stored);
	json_u64(line, "errors", p->errors);
	json_u64(line, "expected_files", p->expected_files);
	json_u64(line, "expected_bytes", p->expected_bytes);
	if (eta >= 0)
		json_u64(line, "seconds_left", (uint64_t)eta);
	json_print(line);
	fflush(stdout);
}

/* No snapshot before this one: count what there is, once somebody looks. */
static void
estimate(struct run *r, struct progress_state *s)
{
	if (!r->path || r->b->files_from || !progress_is_shown())
		return;
	if (!r->count)
		r->count = count_start(r->path, r->b->one_file_system);
	count_done(r->count, &s->total_files, &s->total_bytes);
}

static void
progress(void *ctx, const struct backup_progress *p)
{
	struct run *r = ctx;
	struct progress_state s = { .files = p->files,
		.bytes = p->bytes,
		.total_files = p->expected_files,
		.total_bytes = p->expected_bytes,
		.errors = p->errors };
	int64_t now = clock_mono_ns();

	if (p->expected_files == 0)
		estimate(r, &s);
	progress_show(&s);
	if (!r->b->options.json || now - r->last_status_ns < JSON_STATUS_NS)
		return;
	r->last_status_ns = now;
	print_status(r, p, &s);
}

static int
stdin_finished(void *ctx)
{
	struct run *r = ctx;

	return backup_input_finished(&r->input);
}

/* -- What the run says
 * ---------------------------------------------------------------- */

static void
print_json_summary(
	const struct run *r, const struct backup_result *res, int64_t ns)
{
	json_t *line = json_line("summary");

	json_name(line, "host", r->b->host, strlen(r->b->host));
	json_name(line, "source", r->name, strlen(r->name));
	json_text(line, "snapshot", res->time);
	json_text(line, "id", res->id);
	json_u64(line, "sequence", res->seq);
	json_flag(line, "dry_run", r->b->dry_run);
	json_flag(line, "first", res->first);
	json_u64(line, "files", res->files);
	json_u64(line, "files_new", res->files_new);
	json_u64(line, "files_changed", res->files_changed);
	json_u64(line, "files_unchanged", res->files_unchanged);
	json_u64(line, "directories", res->dirs);
	json_u64(line, "others", res->others);
	json_u64(line, "bytes", res->bytes);
	json_u64(line, "new_bytes", res->new_bytes);
	json_u64(line, "stored_bytes", res->stored);
	json_u64(line, "errors", res->errors);
	json_u64(line, "milliseconds", (uint64_t)(ns / 1000000));
	json_print(line);
}

static void
print_summary(const struct run *r, const struct backup_result *res, int64_t ns)
{
	char size[PRINT_MAX], fresh[PRINT_MAX], stored[PRINT_MAX];
	char time[PRINT_MAX], files[PRINT_MAX];

	if (r->b->options.json)
		print_json_summary(r, res, ns);
	if (r->b->options.json || r->b->options.quiet)
		return;
	print_name(r->b->host, strlen(r->b->host), false);
	putchar('/');
	print_name(r->name, strlen(r->name), false);
	printf("@%s%s: %s, %s; %" PRIu64 " new, %" PRIu64
	       " changed, %s new content, %s %s in %s",
		res->time, r->b->dry_run ? " (dry run)" : "",
		print_number(files, res->files, "file", "files"),
		print_size(size, res->bytes), res->files_new,
		res->files_changed, print_size(fresh, res->new_bytes),
		print_size(stored, res->stored),
		r->b->dry_run ? "to store" : "stored",
		print_duration(time, ns));
	if (res->errors)
		printf("; %" PRIu64 " not read", res->errors);
	putchar('\n');
}

/* -- Paths and names
 * ------------------------------------------------------------------- */

/* The absolute path as it was given, "." and ".." and doubled '/' resolved by
 * words alone where that is safe: symlinks keep their names. */
static char *
absolute(const char *path, struct err *e)
{
	auto_free char *cwd = NULL;
	auto_buf struct buf out = BUF_INIT;
	size_t len;

	if (strstr(path, "..")) {
		char *real = realpath(path, NULL);

		if (!real)
			err_sys(e, errno, "%s", path);
		return real;
	}
	if (*path != '/') {
		cwd = getcwd(NULL, 0);
		if (!cwd) {
			err_sys(e, errno, "the current directory");
			return NULL;
		}
		if (strcmp(cwd, "/") != 0)
			buf_append(&out, cwd, strlen(cwd));
	}
	while (*(path += strspn(path, "/"))) {
		len = strcspn(path, "/");
		if (len != 1 || *path != '.')
			buf_printf(&out, "/%.*s", (int)len, path);
		path += len;
	}
	if (!out.len)
		buf_append(&out, "/", 1);
	buf_append(&out, "", 1);
	return (char *)buf_steal(&out, &len);
}

static int
prepare(struct run *r, const struct backup *b, const char *path, struct err *e)
{
	*r = (struct run){ .b = b, .input = { .fd = -1, .pid = -1 } };
	if (path) {
		r->path = absolute(path, e);
		if (!r->path)
			return -e->code;
	}
	if (b->source)
		r->name = xstrdup(b->source);
	else if (b->stdin_name)
		r->name = xstrdup(b->stdin_name);
	else
		r->name = address_source_name(r->path);
	if (strlen(r->name) > 255)
		return err_set(e, ENAMETOOLONG,
			"%s: the source's name would"
			" be longer than 255 bytes: give --source",
			path);
	return 0;
}

static void
run_release(struct run *r)
{
	free(r->path);
	free(r->name);
	backup_input_close(&r->input);
}

static int
check_clash(const struct run *runs, int n, struct err *e)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(runs[i].name, runs[j].name) == 0)
				return err_set(e, EEXIST,
					"%s and %s would both"
					" be source %s: back one up by itself"
					" with --source",
					runs[j].path, runs[i].path,
					runs[i].name);
	return 0;
}

/* -- Running
 * ---------------------------------------------------------------------------
 */

static int
read_wanted(const struct run *r, struct wanted **wanted, struct err *e)
{
	bool standard = strcmp(r->b->files_from, "-") == 0;
	auto_close int fd =
		standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			 : open(r->b->files_from, O_RDONLY | O_CLOEXEC);
	int code;

	if (fd < 0)
		return err_sys(e, errno, "%s", r->b->files_from);
	*wanted = wanted_new(r->path);
	code = wanted_read(*wanted, fd, r->b->files_from_separator, e);
	if (code < 0)
		return err_prefix(e, "%s", r->b->files_from);
	wanted_seal(*wanted);
	return 0;
}

static int
write_snapshot(struct run *r, struct writer *w, struct wanted *wanted,
	struct backup_result *res, struct err *e)
{
	const struct backup *b = r->b;
	const struct backup_options o = {
		.path = r->path,
		.host = b->host,
		.name = r->name,
		.tags = b->tags,
		.n_tags = b->n_tags,
		.time_ns = b->time_ns,
		.rules = b->rules,
		.wanted = wanted,
		.one_file_system = b->one_file_system,
		.dry_run = b->dry_run,
		.force = b->force,
		.stdin_fd = r->input.fd,
		.stdin_name = b->stdin_name,
		.limit_upload = b->limit_upload,
		.threads = (unsigned)b->threads,
		.zstd_level = (int)b->level,
		.interrupted = interrupt_flag(),
		.report = report,
		.progress = progress,
		.ctx = r,
		.stdin_finished = b->stdin_name ? stdin_finished : NULL,
	};

	return writer_backup(w, &o, res, e);
}

static int
back_up(struct run *r, struct writer *w, struct err *e, bool *partly)
{
	struct backup_result res = { .errors = 0 };
	struct wanted *wanted = NULL;
	int64_t began = clock_mono_ns();
	int code = 0;

	if (r->b->files_from)
		code = read_wanted(r, &wanted, e);
	if (code == 0 && r->b->stdin_name)
		code = backup_input_open(&r->input, r->b->stdin_command, e);
	if (code == 0) {
		progress_begin(!r->b->options.quiet && !r->b->options.json);
		code = write_snapshot(r, w, wanted, &res, e);
		count_stop(steal(r->count));
		progress_clear();
	}
	if (code < 0)
		backup_input_explain(&r->input, e);
	else
		print_summary(r, &res, clock_mono_ns() - began);
	*partly |= res.errors > 0;
	wanted_free(wanted);
	return code;
}

static int
back_up_all(struct run *runs, int n, struct writer *w)
{
	int status = STATUS_DONE;
	bool partly = false;

	for (int i = 0; i < n; i++) {
		struct err e = ERR_INIT;

		if (back_up(&runs[i], w, &e, &partly) == 0)
			continue;
		if (interrupt_came()) {
			log_error("interrupted; what was stored is found again"
				  " by the next run");
			return interrupt_status();
		}
		status = tool_fail(&e);
	}
	return status ? status : partly ? STATUS_PARTLY : STATUS_DONE;
}

static int
open_and_run(struct backup *b, struct run *runs, int n)
{
	auto_writer struct writer *w = NULL;
	struct unlock_asker asker = { .unlock = &b->options.unlock };
	const struct history_open_options open = { .secret = unlock_ask,
		.ctx = &asker,
		.cache_dir = b->options.cache_dir };
	struct err e = ERR_INIT;
	int code;

	if (!options_repository(&b->options))
		return STATUS_USAGE;
	if (b->options.offline)
		return tool_usage("backup --offline: it writes to the"
				  " repository");
	code = writer_open(b->options.repo, &open, &w, &e);
	unlock_release(&asker.secret);
	if (code < 0)
		return tool_fail_open(&e);
	interrupt_defer();
	return back_up_all(runs, n, w);
}

static int
backup_command(const struct command *c, int argc, char **argv)
{
	struct backup b;
	struct run *runs = NULL;
	struct err e = ERR_INIT;
	int n = 0, status = backup_take_options(&b, c, argc, argv), code = 0;

	if (status == 0) {
		runs = xcalloc((size_t)b.n_paths + 1, sizeof(*runs));
		if (b.stdin_name)
			code = prepare(&runs[n++], &b, NULL, &e);
		for (int i = 0; i < b.n_paths && code == 0; i++)
			code = prepare(&runs[n++], &b, b.paths[i], &e);
		if (code == 0)
			code = check_clash(runs, n, &e);
		status = code < 0 ? tool_fail(&e) : open_and_run(&b, runs, n);
	}
	for (int i = 0; i < n; i++)
		run_release(&runs[i]);
	free(runs);
	backup_release(&b);
	return status;
}

const struct command command_backup = {
	.name = "backup",
	.synopsis = "[-r REPO] [OPTIONS] PATH...",
	.summary = "Back directories up, each as a new snapshot",
	.help = "      --host H               instead of this machine's name\n"
		"      --source NAME          instead of a name made of the "
		"path\n"
		"  -t, --tag T                mark the snapshot (repeatable)\n"
		"      --time T               call the snapshot after this "
		"time\n"
		"  -e, --exclude PATTERN      leave out, as in .gitignore\n"
		"      --exclude-file F       patterns from a file\n"
		"      --exclude-per-directory NAME  files with patterns in\n"
		"                             directories (.yoreignore; '' "
		"none)\n"
		"      --exclude-caches       what CACHEDIR.TAG marks\n"
		"      --exclude-if-present NAME[:HEADER]  directories with "
		"it\n"
		"      --exclude-larger-than SIZE\n"
		"  -x, --one-file-system      do not enter other file systems\n"
		"      --files-from F         only what F lists ('-': stdin)\n"
		"      --files-from0 F        the same, ended by NUL\n"
		"      --stdin NAME           back up standard input as a "
		"file\n"
		"      --stdin-command C      the output of C instead\n"
		"  -n, --dry-run              read everything, store nothing\n"
		"      --force                read files that look unchanged\n"
		"      --limit-upload RATE    bytes a second, like 10M\n"
		"      --threads N, --level N  workers, zstd level (1 to 19)\n",
	.run = backup_command,
};
