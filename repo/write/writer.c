/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening a writer, and the frame around one run: threads, order, end. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/base/thread.h"
#include "repo/crypto/id.h"
#include "repo/fetch/together.h"
#include "repo/history.h"
#include "repo/native/state.h"
#include "repo/write/run.h"

#define THREADS_MAX 64
#define INDEX_MEMORY (24u << 20)
/* For pages of the snapshot before; of a store that is far, many at once. */
#define FETCH_MEMORY (4u << 20)
#define FETCH_MEMORY_FAR (16u << 20)

struct first {
	struct writer *w;
	struct store *s;
};

static void
first_request(void *ctx, size_t i)
{
	struct first *f = ctx;

	if (i == 0)
		stash_probe(f->w->stash, f->s);
	else
		pruned_first_look(f->w, f->s);
}

static void
first_requests(struct writer *w, struct store *s)
{
	struct first f = { w, s };

	together_run(2, true, first_request, &f);
}

/* What is kept of a remote repository lies before it.  Without a right to read
 * the cache would only learn what is kept anyway, and take it for all. */
static int
open_repository(struct writer *w, const char *repo,
	const struct history_open_options *o, struct err *e)
{
	struct history_open_options how =
		o ? *o : (struct history_open_options){ .ctx = NULL };
	struct store *s = NULL;
	int r = store_open(repo, &s, e);

	if (r)
		return r;
	if (s->local_path) {
		pruned_first_look(w, s);
		return repository_open_on(s, o, &w->rp, e);
	}
	w->stash = stash_new(s);
	s = stash_store(w->stash, s);
	first_requests(w, s);
	if (stash_is_blind(w->stash))
		how.cache_dir = "";
	return repository_open_on(s, &how, &w->rp, e);
}

static int
open_sink(struct writer *w, const char *repo, struct err *e)
{
	int r = sink_open(repo, false, &w->sink, e);

	if (!r && w->stash) {
		stash_know(w->stash, w->rp);
		w->sink = stash_sink(w->stash, w->sink);
	}
	return r;
}

int
writer_open(const char *repo, const struct history_open_options *o,
	struct writer **w, struct err *e)
{
	struct fetch_options fo = { .memory = FETCH_MEMORY };
	auto_writer struct writer *p = xcalloc(1, sizeof(*p));
	int r = open_repository(p, repo, o, e);

	if (!r)
		r = state_pin(p->rp, e);
	if (!r && p->rp->header.must_write_unknown)
		r = err_set(e, EROFS,
			"%s: writing needs features this yore lacks; "
			"use a newer yore", p->rp->store->name);
	if (!r)
		r = open_sink(p, repo, e);
	if (r)
		return r;
	p->index = index_new(p->rp, INDEX_MEMORY);
	if (!p->rp->store->local_path)
		fo.memory = FETCH_MEMORY_FAR;
	p->fetch = fetch_new(p->rp->store, p->rp->keys, &fo);
	fetch_set_locator(p->fetch, index_locate, p->index);
	p->deltas = deltas_new(p->rp, p->fetch);
	cut_gear_init(&p->gear, p->rp->keys);
	map_cut_init(&p->map_cut, p->rp->keys);
	*w = steal(p);
	return 0;
}

void
writer_free(struct writer *w)
{
	if (!w)
		return;
	if (w->fetch)
		fetch_free(w->fetch);
	deltas_free(w->deltas);
	index_free(w->index);
	if (w->sink)
		sink_free(w->sink);
	repository_free(w->rp);
	stash_free(w->stash);
	free(w);
}

static void
report_scan(void *arg, const char *path, int code, const char *text)
{
	run_report(arg, path, code, text);
}

static int
open_scan(struct run *run, struct err *e)
{
	const struct backup_options *o = run->o;
	struct scan_options so = { .rules = o->rules,
		.wanted = o->wanted,
		.one_file_system = o->one_file_system,
		.report = report_scan,
		.arg = run };
	auto_close int fd = open(o->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOTDIR)
		return err_set(e, ENOTDIR, "%s is not a directory: back up "
			"the one it lies in", o->path);
	if (fd < 0)
		return err_sys(e, errno, "%s", o->path);
	return scan_new(fd, &so, &run->scan, e);
}

static int
begin_stash(struct run *run, struct sink *sink, struct err *e)
{
	struct writer *w = run->w;
	uint8_t source[SOURCE_KEY_LEN];

	if (!w->stash)
		return 0;
	source_key(w->rp->keys, run->o->host, run->o->name, source);
	return stash_begin(w->stash, sink, source, e);
}

/* What is asked of the repository before anything is read. */
struct asking {
	struct run *run;
	struct {
		int r;
		struct err e;
	} parent, adopt;
};

enum { FIND_PARENT, ADOPT, LIST_SEGMENTS, QUESTIONS };

/* Nothing is adopted that is about to be deleted. */
static int
begin_and_adopt(struct run *run, struct err *e)
{
	int r = pruned_begin(run, e);

	return r ? r : run_adopt(run, e);
}

/* Whether what the snapshot before refers to has to be looked at. */
static bool
needs_rehinting(const struct run *run)
{
	const struct gc_state *s = &run->avoid.state;

	return run->parent.gc != s->n && !gc_state_is_empty(s);
}

static void
ask(void *ctx, size_t i)
{
	struct asking *a = ctx;
	size_t n;

	if (i == FIND_PARENT)
		a->parent.r = run_find_parent(a->run, &a->parent.e);
	else if (i == ADOPT)
		a->adopt.r = begin_and_adopt(a->run, &a->adopt.e);
	else /* who fails to look something up says why */
		(void)index_segments(a->run->w->index, &n, NULL);
}

static int
ask_all(struct run *run, struct err *e)
{
	struct asking a = { .run = run };

	together_run(QUESTIONS, run->w->stash != NULL, ask, &a);
	if (a.parent.r) {
		*e = a.parent.e;
		return a.parent.r;
	}
	if (a.adopt.r)
		*e = a.adopt.e;
	return a.adopt.r;
}

static int
prepare(struct run *run, struct err *e)
{
	struct writer *w = run->w;
	struct sink *sink = run->o->dry_run ? NULL : w->sink;
	uint64_t data_len;
	bool tree = !run->o->stdin_name && !run->o->database && !run->o->copy;
	int r = tree ? open_scan(run, e) : 0;

	/* with what the run before has written */
	if (w->n_runs++)
		index_refresh(w->index);
	run->known = known_new(w->index, &run->avoid);
	if (!r)
		r = begin_stash(run, sink, e);
	if (!r)
		r = ask_all(run, e);
	if (r)
		return r;
	run->next_link = run->parent.next_link ? run->parent.next_link : 1;
	run->first_link = run->next_link;
	run->rehint = needs_rehinting(run);
	spread_init(&run->spread, &run->parent, &run->avoid);
	scatter_init(&run->scatter, &run->parent, !tree);
	run->packer = packer_new(6);
	data_len = run->o->data_pack_len ? run->o->data_pack_len : DATA_PACK_LEN;
	run->data = pack_writer_new(sink, w->rp->keys, OBJECT_DATA, data_len,
		run->o->limit_upload);
	run->apart = pack_writer_new(
		sink, w->rp->keys, OBJECT_DATA, data_len, 0);
	run->meta = pack_writer_new(sink, w->rp->keys, OBJECT_META,
		run->o->meta_pack_len ? run->o->meta_pack_len : META_PACK_LEN,
		0);
	return 0;
}

/* Walk while the threads work and place; wait for all of them. */
static int
walk_and_work(struct run *run, struct err *e)
{
	pthread_t threads[THREADS_MAX + 1];
	unsigned n = 0;
	unsigned want = run->o->threads ? run->o->threads : thread_processors() * 3;
	int r = 0;

	if (want > THREADS_MAX)
		want = THREADS_MAX;
	if (pthread_create(&threads[n], NULL, run_place_main, run))
		return err_set(e, EAGAIN, "cannot start a thread");
	for (n = 1; n <= want && !r; n++) {
		if (pthread_create(&threads[n], NULL, run_work_main, run))
			r = err_set(e, EAGAIN, "cannot start a thread");
	}
	if (!r)
		r = run->o->copy	 ? run_walk_view(run, e)
		    : run->o->database	 ? run_walk_database(run, e)
		    : run->o->stdin_name ? run_walk_stdin(run, e)
					 : run_walk(run, e);
	else
		n--;
	if (r)
		run_fail(run, e);
	pthread_mutex_lock(&run->lock);
	run->ended = true;
	pthread_cond_broadcast(&run->changed);
	pthread_mutex_unlock(&run->lock);
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	if (run->failed.code)
		*e = run->failed;
	return -run->failed.code;
}

static void
release(struct run *run)
{
	for (uint64_t i = run->placed; i < run->produced; i++)
		job_free(run, run->ring[i % JOBS_MAX]);
	job_free(run, run->job);
	publish_release(run);
	pruned_release(run);
	place_release(run);
	known_free(run->known);
	record_release(&run->parent);
	free(run->links);
	if (run->scan)
		scan_free(run->scan);
	pthread_mutex_destroy(&run->lock);
	pthread_mutex_destroy(&run->report_lock);
	pthread_cond_destroy(&run->changed);
}

/* The last packs travel together. */
static int
finish_packs(struct run *run, struct err *e)
{
	struct pack_writer *all[] = { run->data, run->apart, run->meta };
	size_t n = n_elements(all);
	int r = 0;

	for (size_t i = 0; i < n && !r; i++)
		r = pack_writer_end(all[i], e);
	for (size_t i = 0; i < n && !r; i++)
		r = pack_writer_finish(all[i], e);
	return r;
}

static int
run_all(struct run *run, struct err *e)
{
	int r = prepare(run, e);

	if (!r)
		r = walk_and_work(run, e);
	if (!r)
		run_look(run);
	if (!r)
		pruned_look(run);
	if (!r)
		r = finish_packs(run, e);
	if (!r && !run->o->dry_run)
		r = run_publish(run, e);
	if (!r && !run->o->dry_run && run->w->stash)
		stash_end(run->w->stash, run->w->rp->store, run->pages,
			run->n_pages);
	return r;
}

int
writer_backup(struct writer *w, const struct backup_options *o,
	struct backup_result *result, struct err *e)
{
	struct run *run = xcalloc(1, sizeof(*run));
	int r;

	memset(result, 0, sizeof(*result));
	run->w = w;
	run->o = o;
	run->result = result;
	run->began_ns = clock_wall_ns();
	pthread_mutex_init(&run->lock, NULL);
	pthread_mutex_init(&run->report_lock, NULL);
	pthread_cond_init(&run->changed, NULL);
	r = run_all(run, e);
	result->errors = run->errors;
	result->new_bytes = run->new_bytes;
	if (run->data)
		result->stored += pack_writer_bytes(run->data) +
				  pack_writer_bytes(run->apart) +
				  pack_writer_bytes(run->meta);
	history_print_time(result->time,
		o->time_ns ? o->time_ns : run->began_ns);
	release(run);
	free(run);
	return r;
}
