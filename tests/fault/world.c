/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fault/world.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/native/repository.h"
#include "repo/store/directory.h"
#include "repo/write/init.h"
#include "tests/fault/indexed.h"
#include "tests/fault/whole.h"
#include "tests/unit/scratch.h"
#include "tools/local_view.h"

#define DATA_PACK_LEN (64u << 10)
#define META_PACK_LEN (4u << 10)
#define ASIDE_MIN (256u << 10)
#define CHILD_SECONDS 60

static void
run_command(char *command)
{
	int status = system(command);

	if (status)
		fail_msg("%s: status %d", command, status);
	free(command);
}

static void
bring_to_state(struct world *w, unsigned k)
{
	const char *top = getenv("top_srcdir");

	run_command(xasprintf("bash %s/tests/fault/%s %s %u",
		top ? top : ".", w->script, w->tree, k));
}

/* -- Making ---------------------------------------------------------------- */

int
world_backup(struct world *w, const char *repo, uint64_t *stored, struct err *e)
{
	struct backup_options o = { .path = w->tree,
		.host = "h",
		.name = "t",
		.data_pack_len = DATA_PACK_LEN,
		.meta_pack_len = META_PACK_LEN,
		.aside_min = ASIDE_MIN };
	auto_writer struct writer *wr = NULL;
	struct backup_result result = { .stored = 0 };
	int r = writer_open(repo, NULL, &wr, e);

	if (!r)
		r = writer_backup(wr, &o, &result, e);
	if (stored)
		*stored = result.stored;
	return r;
}

void
world_reset(struct world *w)
{
	run_command(xasprintf(
		"rm -rf %s && cp -al %s %s", w->repo, w->base, w->repo));
}

/* What the source is now, and what backing it up costs. */
static void
learn(struct world *w)
{
	struct survey *right = &w->right[w->n + 1];
	auto_view struct view *v = NULL;
	struct err e = ERR_INIT;

	if (local_view_open(w->tree, &v, &e))
		fail_msg("%s", e.text);
	survey_release(right);
	survey_take(right, v);
	assert_int_equal(right->errors, 0);
	world_reset(w);
	w->fresh_data = world_bytes(w->repo, "data/");
	if (world_backup(w, w->repo, &w->fresh_stored, &e))
		fail_msg("%s", e.text);
	w->fresh_data = world_bytes(w->repo, "data/") - w->fresh_data;
	world_reset(w);
}

void
world_init(struct world *w, const char *script)
{
	const struct slot_secret open = { .type = SLOT_OPEN };
	struct err e = ERR_INIT;
	char id[33];

	memset(w, 0, sizeof(*w));
	w->script = script;
	assert_true(scratch_make(w->dir, sizeof(w->dir)));
	w->tree = xasprintf("%s/tree", w->dir);
	w->base = xasprintf("%s/base", w->dir);
	w->repo = xasprintf("%s/repo", w->dir);
	/* each copy is the same repository, back in time: not worth a line */
	setenv("XDG_STATE_HOME", "/dev/null", 1);
	bring_to_state(w, 1);
	if (repository_init(w->base, &open, id, &e))
		fail_msg("%s", e.text);
	learn(w);
}

void
world_next(struct world *w)
{
	struct err e = ERR_INIT;

	if (world_backup(w, w->base, NULL, &e))
		fail_msg("%s", e.text);
	w->n++;
	bring_to_state(w, w->n + 1);
	learn(w);
}

void
world_release(struct world *w)
{
	assert_true(scratch_remove(w->dir));
	for (unsigned i = 0; i < n_elements(w->right); i++)
		survey_release(&w->right[i]);
	free(w->tree);
	free(w->base);
	free(w->repo);
}

/* -- Children -------------------------------------------------------------- */

int
world_run(struct world *w, struct world_report *report,
	void (*f)(struct world *w, struct world_report *rp, const void *arg),
	const void *arg)
{
	struct world_report *shared = mmap(NULL, sizeof(*shared),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	assert_true(shared != MAP_FAILED);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(CHILD_SECONDS);
		f(w, shared, arg);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*report = *shared;
	munmap(shared, sizeof(*shared));
	return status;
}

/* -- What has to hold ------------------------------------------------------ */

struct sum {
	const char *prefix;
	uint64_t bytes;
};

static bool
add_size(void *ctx, const char *name, uint64_t size)
{
	struct sum *s = ctx;

	if (!strncmp(name, s->prefix, strlen(s->prefix)))
		s->bytes += size;
	return true;
}

uint64_t
world_bytes(const char *repo, const char *prefix)
{
	auto_store struct store *s = NULL;
	auto_free char *folder = xasprintf(
		"%.*s", (int)(strchr(prefix, '/') + 1 - prefix), prefix);
	struct sum sum = { .prefix = prefix };
	struct err e = ERR_INIT;

	if (store_directory_open(repo, &s, &e) ||
		store_list(s, folder, "", add_size, &sum, &e))
		fail_msg("%s", e.text);
	return sum.bytes;
}

/* Every snapshot reads as it should; returns how many there are. */
static size_t
check_snapshots(struct world *w, const char *what)
{
	struct history *h = NULL;
	struct err e = ERR_INIT;
	char wrong[SURVEY_WRONG_MAX];

	if (history_open_repository(w->repo, NULL, &h, &e))
		fail_msg("%s: %s", what, e.text);
	struct history_listing *l = history_listing(h);
	size_t n = l->n_points;

	for (size_t i = 0; i < n; i++) {
		auto_survey struct survey s = { .n = 0 };
		size_t state = i < w->n ? i + 1 : w->n + 1;

		if (survey_point(&s, h, i + 1, &e))
			fail_msg("%s: snapshot %zu: %s", what, i + 1, e.text);
		if (s.errors)
			fail_msg("%s: snapshot %zu: errors", what, i + 1);
		if (!survey_same(&w->right[state], &s, wrong))
			fail_msg("%s: snapshot %zu: %s", what, i + 1, wrong);
	}
	history_listing_put(l);
	history_free(h);
	return n;
}

/* What lay there already need not be stored again.  Chunks that were packed
 * together may now be packed apart, which costs a little.  (A snapshot that was
 * made in spite of a fault may have missed what the index would have said.) */
static void
check_reuse(struct world *w, const char *what, uint64_t before,
	enum world_outcome was)
{
	uint64_t added = world_bytes(w->repo, "data/") - before;
	uint64_t found = before - world_bytes(w->base, "data/");
	uint64_t limit = w->fresh_data + w->fresh_data / 50 + 4096;

	/* the run after another one may gather what that left where it was */
	if (was == WORLD_MADE) {
		found = w->fresh_data;
		limit += world_bytes(w->base, "data/");
	}
	if (found + added > limit)
		fail_msg("%s: %llu bytes were there, %llu are new, but afresh "
			 "it takes %llu",
			what, (unsigned long long)found,
			(unsigned long long)added,
			(unsigned long long)w->fresh_data);
}

/* A run that could say so has taken its temporary files with it. */
static void
check_no_temporaries(struct world *w, const char *what)
{
	auto_free char *path = xasprintf("%s/tmp", w->repo);

	if (rmdir(path) && errno != ENOENT)
		fail_msg("%s: something is left in tmp/", what);
}

void
world_check(struct world *w, const char *what, enum world_outcome was)
{
	uint64_t before = world_bytes(w->repo, "data/");
	struct err e = ERR_INIT;
	size_t n;

	if (whole_objects(w->repo, &e))
		fail_msg("%s: %s", what, e.text);
	n = check_snapshots(w, what);
	if ((n != w->n || was == WORLD_MADE) &&
		(n != w->n + 1 || was == WORLD_FAILED))
		fail_msg("%s: %zu snapshots", what, n);
	if (was != WORLD_EITHER)
		check_no_temporaries(w, what);
	if (world_backup(w, w->repo, NULL, &e))
		fail_msg("%s: the next backup: %s", what, e.text);
	check_reuse(w, what, before, was);
	if (indexed_whole(w->repo, &e))
		fail_msg("%s: the index after the next backup: %s", what,
			e.text);
	if (check_snapshots(w, what) != n + 1)
		fail_msg("%s: the next snapshot is missing", what);
}
