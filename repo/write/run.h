/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of the writer and the jobs that flow through it; private to
 * repo/write.
 *
 *   walk (the caller's thread)  what is there, in walk order     -> jobs
 *   work (threads)              read, name, look up, compress
 *   place (one thread)          in order: packs, maps, directories
 *   publish (the caller)        index segment, record, catalog
 */
#ifndef YORE_WRITE_RUN_H
#define YORE_WRITE_RUN_H

#include <pthread.h>
#include <stdatomic.h>
#include "repo/fetch/fetch.h"
#include "repo/format/record.h"
#include "repo/native/deltas.h"
#include "repo/native/index.h"
#include "repo/native/repository.h"
#include "repo/format/object.h"
#include "repo/write/avoid.h"
#include "repo/write/cut.h"
#include "repo/write/interior.h"
#include "repo/write/stash.h"
#include "repo/write/known.h"
#include "repo/write/learned.h"
#include "repo/write/map.h"
#include "repo/write/pack.h"
#include "repo/write/spread.h"
#include "repo/write/scan.h"
#include "repo/write/scatter.h"
#include "repo/write/writer.h"

/* Chosen by measurement (DESIGN, "Sizes"). */
#define SMALL_FILE_MAX (128u << 10) /* bytes; bigger files are cut */
#define SOLID_LEN (512u << 10)	    /* plaintext of a solid frame */
#define CHUNK_JOB_LEN (512u << 10)   /* content of one job of a big file */
#define DATA_PACK_LEN (32u << 20)
#define META_PACK_LEN (8u << 20)
#define JOB_ITEMS 1024
#define JOBS_MAX 64		    /* in flight */
#define JOB_BYTES_MAX (8u << 20)    /* their content together */

struct writer {
	struct stash *stash; /* NULL: the repository is local */
	unsigned n_runs;
	struct repository *rp;
	struct sink *sink;
	struct index *index;
	struct fetch *fetch;
	struct deltas *deltas;
	struct cut_gear gear;
	struct map_cut map_cut;
	/* The newest state of pruning when gc/ was listed last: the first time
	 * before anything else was asked for. */
	uint64_t gc_seen;
	int64_t gc_listed_ns; /* monotonic; 0: it has to be listed again */
	int gc_r; /* of listing it, with gc_e */
	struct err gc_e;
};

enum item_op {
	ITEM_ENTER, /* a directory begins: en is its own entry */
	ITEM_LEAVE,
	ITEM_ENTRY, /* complete: unchanged, or has no content */
	ITEM_FILE,  /* a small file to be read */
	ITEM_AGAIN, /* as ITEM_ENTRY; its content is to be stored again */
	ITEM_LINK,  /* another name of a file that came before */
	ITEM_BEGIN, /* a big file begins; its chunks follow */
	ITEM_HOLE,  /* en.size bytes of nothing in it */
	ITEM_CHUNK, /* the next chunk of it; en.size bytes, id in en.ref, and
		     * its place if it was in the snapshot before */
	ITEM_INTERIOR, /* en.size bytes at off are stored as en.ref (interior.h) */
	ITEM_END,   /* it is complete; en has what was found out meanwhile */
	ITEM_ENDED, /* so is its map: what placing makes of ITEM_END */
};

#define NOWHERE SIZE_MAX

struct item {
	struct entry en; /* name, data, xattrs are set from the arena last */
	size_t name_at, data_at, xattrs_at; /* in the arena, or NOWHERE */
	struct scan_dir *dir; /* held; ITEM_FILE, ITEM_AGAIN: where it lies */
	struct ref xattrs_ref;
	struct ref interior;
	uint8_t op;
	bool aside;   /* ITEM_BEGIN: of the file that is read aside */
	bool dropped; /* could not be read: leave it out */
	bool reuse_xattrs_ref; /* xattrs_ref is of the snapshot before */
	/* Of a copy: the file, where in it a chunk begins, and what the other
	 * repository calls what is to be read; or zeros. */
	uint64_t node, off;
	uint8_t theirs[CHUNK_ID_LEN];
	bool ours; /* en.ref.id is what it is called here, unless it is lost */
	bool has_interior;
};

struct job {
	uint64_t number;
	struct item *items;
	size_t n_items, cap_items;
	struct buf arena;
	uint8_t *data; /* content of ITEM_CHUNKs, one behind the other; in */
	void *memory;  /* this, to be freed */
	size_t data_len;
	size_t bytes; /* what it counts against JOB_BYTES_MAX */
	int level;    /* zstd; 0 the default */
	uint32_t page_size; /* of the database that ITEM_CHUNKs are of; 0 */
	struct pickings picked;
	struct packed *frames;
	size_t n_frames;
	bool aside; /* of the file that is read aside */
	bool apart; /* content goes into packs of its own */
	bool done;
	bool deferred; /* its entries wait for the file that is read aside */
};

/* A file with several names: its number, and what was found in it. */
struct link {
	uint64_t dev, ino;
	uint64_t number;
};

struct dir_build {
	struct item self;
	struct buf arena; /* self's name and xattrs */
	struct map_builder *map;
};

/* A big file in the making. */
struct file_build {
	struct pack_writer *data; /* where its content goes; borrowed */
	struct item item; /* of its ITEM_BEGIN */
	struct buf arena; /* its name */
	uint64_t off, n_extents; /* so far */
	struct extent first_extent;
	struct map_builder *extents; /* NULL: there is one at most */
	struct interior *interior; /* NULL: none so far */
};

/* A big file to be read. */
struct big_file {
	struct job **job; /* being filled; begins with its ITEM_BEGIN */
	struct scan_dir *dir;
	const char *name; /* in dir */
	struct entry begun; /* of its ITEM_BEGIN */
	int fd;
	bool aside, apart; /* as in struct job */
};

/* The file that is read aside (aside.c); the walking thread's own. */
struct aside {
	pthread_t thread;
	bool running;
	size_t entries; /* walked since it began, */
	uint64_t bytes; /* and their content */
	struct run *run;
	struct big_file file; /* the thread's own while it runs, as are these */
	struct job *job;
	char *name;
	int r;
	struct err e;
};

struct run {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Guarded by lock. */
	struct job *ring[JOBS_MAX];
	uint64_t produced, worked, placed; /* numbers of the next jobs */
	size_t bytes;
	size_t n_done; /* of the jobs under way, those that wait to be placed */
	unsigned crowded; /* jobs that waited for those who work, of late */
	bool ended; /* no more will be produced */
	bool aside_ended;
	struct err failed;

	pthread_mutex_t report_lock;

	/* Immutable. */
	struct writer *w;
	const struct backup_options *o;
	struct known *known;
	struct avoid avoid; /* from the first answers on */
	bool rehint; /* the snapshot before may refer to what is avoided */

	/* The walking thread's own. */
	struct scan *scan;
	struct job *job; /* being filled */
	struct aside aside;
	struct record parent; /* the snapshot before; host NULL: none */
	uint8_t parent_hash[HASH_LEN];
	uint64_t ended_seq; /* no snapshot is there; up to this there were */
	struct link *links;
	size_t n_links, cap_links;
	uint64_t next_link;

	/* The placing thread's own. */
	struct pack_writer *data, *apart, *meta;
	struct packer *packer;
	struct dir_build *dirs;
	size_t n_dirs, cap_dirs;
	struct file_build files[2]; /* the walk's; the one read aside */
	bool behind; /* the one read aside has begun and has not ended */
	struct job **deferred; /* what waits for that */
	size_t n_deferred, cap_deferred;
	struct entry **linked; /* by number - first, deep copies */
	size_t n_linked;
	uint64_t first_link;
	struct entry root;
	struct buf root_page, root_arena;
	struct spread spread; /* of pages over packs */
	struct scatter scatter;
	struct frame_place *pages; /* of directories; of remote repositories */
	size_t n_pages, cap_pages;
	int64_t progressed_ns, began_ns;

	/* The end's: what catalogs there are, found out meanwhile; */
	pthread_t looker;
	bool looking;
	struct catalogs *catalogs;
	/* whether something was pruned (pruned.c), in a thread of its own; */
	pthread_t pruned_looker;
	bool pruned_looking;
	int pruned_r;
	struct err pruned_e;
	/* what was put, should it have to be withdrawn. */
	char record_name[OBJECT_NAME_MAX * 2];
	char segment_name[STORE_NAME_MAX + 1];
	struct segment_pack *segment_packs;
	uint32_t n_segment_packs;

	/* Counters. */
	struct backup_result *result;
	_Atomic uint64_t errors, new_bytes, bytes_done, files_done, entries_done;
};

/* First failure wins; wakes everyone.  Returns -e->code. */
int run_fail(struct run *run, const struct err *e);
bool run_failed(struct run *run);
/* Tell the caller of a path that could not be read. */
void run_report(struct run *run, const char *path, int code, const char *text);

/* walk.c */
int run_walk(struct run *run, struct err *e);
int run_walk_stdin(struct run *run, struct err *e);
/* walk_view.c: a copy */
int run_walk_view(struct run *run, struct err *e);
/* big.c: the content of one big file, from fd, as jobs. */
int run_walk_database(struct run *run, struct err *e);
int run_walk_big(struct run *run, const struct big_file *f, struct err *e);
/* Up to len bytes of a file of a view: their number, less only at its end. */
ssize_t run_read_view(struct view *v, uint64_t node, uint64_t off, size_t len,
	void *to, struct err *e);
/* Content of a file of a view, whose ITEM_BEGIN is in the job being filled; its
 * ITEM_END is the caller's.  -errno of the view is positive in *bad. */
int run_walk_big_view(struct run *run, struct view *v, uint64_t node,
	uint64_t size, int *bad, struct err *e);

/* aside.c: a second big file at a time */
/* Whether a file of this size is to be read aside. */
bool aside_takes(const struct run *run, uint64_t size);
/* Whether another, of this size, is read beside it; says so. */
bool aside_has_company(
	const struct run *run, uint64_t size, const char *name);
/* Read it aside; takes f->fd. */
int aside_begin(struct run *run, const struct big_file *f, struct err *e);
/* The walk goes past something with so much to be read; waits where it is too
 * far ahead of the file that is read aside. */
int aside_pass(struct run *run, uint64_t size, struct err *e);
/* The walk has ended with r: wait.  Returns r, or why that failed. */
int aside_end(struct run *run, int r, struct err *e);

/* job.c */
/* One more item of a job, which begins with its first. */
struct item *job_item(struct job **j, enum item_op op);
/* Send it on its way, if there is anything in it. */
int job_send(struct run *run, struct job **j, struct err *e);
/* The same of the job that the walk fills. */
struct item *run_item(struct run *run, enum item_op op);
size_t job_keep(struct job *j, const void *data, size_t len);
/* *to becomes a copy of an item of j, and what it has in j's arena is all that
 * is in this one. */
void item_keep(struct item *to, struct buf *arena, const struct item *it,
	const struct job *j);
int run_flush(struct run *run, struct err *e);
/* Between two steps of a walk: -ECANCELED when the run is to end, and a job
 * that takes no more is sent on its way. */
int run_between(struct run *run, struct err *e);
void job_free(struct run *run, struct job *j);
void job_free_frames(struct job *j);
void *run_work_main(void *run);
void *run_place_main(void *run);

/* work.c */
void job_work(struct run *run, struct job *j, struct packer *packer);

/* The frame that a job's small files share. */
struct solid {
	struct buf plain;
	struct pack_chunk *chunks;
	uint32_t n, cap;
};
/* What a frame takes when many have. */
#define SOLID_MAX (12u << 20)

/* The content of a small file becomes part of its entry or of the frame. */
void job_take_content(struct run *run, struct job *j, struct item *it,
	struct solid *s, const uint8_t *data, size_t n);
int job_pack_solid(struct job *j, struct solid *s, struct packer *packer,
	struct err *e);
/* A chunk of en.size bytes becomes a frame of its own, for which there is room
 * in frames; unless it is known. */
int job_pack_chunk(struct run *run, struct job *j, struct item *it,
	const uint8_t *data, struct packer *packer, struct err *e);
/* work_view.c: the same of a copy */
int job_work_view(struct run *run, struct job *j, struct solid *s,
	struct packer *packer, struct err *e);

/* place.c */
/* The job may be needed for longer (deferred). */
int job_place(struct run *run, struct job *j, struct err *e);
/* Put frames of content into a pack; their chunks are known then. */
int place_frames(struct run *run, struct pack_writer *data,
	const struct packed *frames, size_t n, struct err *e);
/* A page of a map into a pack (map_store of a run). */
int place_page(void *run, const uint8_t *page, size_t len, struct ref *ref,
	struct err *e);
/* Where a chunk lies that this run or one before has placed. */
int place_find(struct run *run, struct ref *ref, struct err *e);
void place_release(struct run *run);

/* file_build.c */
/* What an item has of a big file; ITEM_END becomes ITEM_ENDED. */
int file_build_place(struct run *run, struct file_build *f, struct job *j,
	struct item *it, struct err *e);
/* A map of extents, whose pages are stored as those of files are. */
struct map_builder *file_build_map(struct run *run);
void file_build_release(struct file_build *f);

/* Whether nothing of the repository can be read. */
static inline bool
run_is_blind(const struct run *run)
{
	return run->w->stash && stash_is_blind(run->w->stash);
}

/* pruned.c: what is deleted while the run is under way (DESIGN, G1-6) */
/* List gc/ for the first time, before anything else is asked of s. */
void pruned_first_look(struct writer *w, struct store *s);
/* Begin the run's avoid. */
int pruned_begin(struct run *run, struct err *e);
/* Look at gc/ again, in a thread. */
void pruned_look(struct run *run);
/* End that; -EAGAIN the run refers to what is being deleted. */
int pruned_check(struct run *run, struct err *e);
/* The record is there, but the check failed: remove what was put. */
int pruned_withdraw(struct run *run, struct err *e);
void pruned_release(struct run *run);

/* publish.c */
/* Begin what can be asked before all packs are durable. */
void run_look(struct run *run);
int run_publish(struct run *run, struct err *e);
void publish_release(struct run *run);
/* Chunks of packs that no index segment knows become known (a run that was
 * killed). */
int run_adopt(struct run *run, struct err *e);
/* The newest record of the source; run->parent.host stays NULL without. */
int run_find_parent(struct run *run, struct err *e);

#endif
