/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backing up one directory tree as a new snapshot of its source.
 *
 * One thread walks, several read, cut, compress; one puts everything in walk
 * order into packs and directory maps (DESIGN, "Writer").  Memory is bounded
 * by the queue between them.  The snapshot record is written last: until then
 * nothing of this run can be seen, and whatever interrupts it leaves earlier
 * snapshots as they were.
 */
#ifndef YORE_WRITE_WRITER_H
#define YORE_WRITE_WRITER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "repo/base/err.h"
#include "repo/open.h"
#include "repo/write/exclude.h"
#include "repo/write/wanted.h"

struct backup_progress {
	uint64_t files;	   /* regular files done */
	uint64_t entries;  /* entries of any kind done */
	uint64_t bytes;	   /* content bytes done, unchanged ones included */
	uint64_t new_bytes; /* content bytes that were not known */
	uint64_t stored;   /* bytes written to the store */
	uint64_t errors;
	uint64_t expected_files; /* from the snapshot before; 0 unknown */
	uint64_t expected_bytes;
};

struct database_state;

/* Instead of a tree: one file, a database (delta_writer.h). */
struct backup_database {
	const char *file; /* its name */
	/* As read(2) at its end so far; -errno with a sentence. */
	ssize_t (*read)(void *ctx, void *buf, size_t len, struct err *e);
	/* Everything but the record is durable.  parent: seq of the snapshot
	 * before, 0: there is none.  If it fails no record is put. */
	int (*commit)(void *ctx, uint64_t parent, struct err *e);
	void *ctx;
	const struct database_state *state; /* right when commit is called */
	bool continues; /* the generation of the snapshot before */
	const void *opaque;
	size_t opaque_len;
	uint32_t mode, uid, gid; /* of mode only permissions */
};

/*
 * Instead of a tree on disk: one that a history has, under whatever keys
 * (repo/upkeep/copy.h).  What is named as its source names it becomes what this
 * repository calls it; where content was cut stays as it was.
 */
struct backup_copy {
	struct view *view; /* all borrowed */
	/* The state that the newest snapshot of the source was copied from, and
	 * that snapshot; what is alike there is not read again.  NULL: unknown. */
	struct view *before, *target;
	const void *before_opaque; /* of that snapshot, to recognise it by */
	size_t before_opaque_len;
	struct learned *learned; /* what was read before; kept from run to run */
	bool begins;  /* a generation */
	bool lenient; /* what cannot be read is reported and left out; else
		       * there is no snapshot then */
	int64_t began_ns, ended_ns;
	uint64_t n_errors; /* of the state itself */
	const void *opaque;
	size_t opaque_len;
};

struct backup_options {
	const char *path; /* directory to back up; unused with stdin */
	const char *host; /* source's name; both required */
	const char *name;
	const char *const *tags;
	size_t n_tags;
	int64_t time_ns; /* what the snapshot is called; 0: now */
	const struct exclude_rules *rules; /* borrowed; NULL: none */
	const struct wanted *wanted;	   /* borrowed, sealed; NULL: all */
	bool one_file_system;
	bool dry_run;	   /* read and compress, write nothing */
	bool force;	   /* read every file, trust no unchanged mark */
	const char *stdin_name; /* not NULL: one file of this name with the
				 * bytes of stdin_fd; path is not used */
	int stdin_fd;
	const struct backup_database *database; /* not NULL: this, of which path
						 * is for display */
	const struct backup_copy *copy; /* not NULL: this; path for display */
	uint64_t limit_upload; /* bytes a second; 0: none */
	unsigned threads;      /* 0: chosen from the machine */
	int zstd_level;	       /* 0: default */
	/* Bytes after which a pack ends; 0: default.  For tests. */
	uint64_t data_pack_len, meta_pack_len;
	/* Bytes from which on a file is read beside another, whatever there is
	 * to wait for; 0: default.  For tests. */
	uint64_t aside_min;
	const atomic_bool *interrupted; /* polled; may be NULL */
	/* A path could not be read in whole; called from any thread, one at a
	 * time.  text names path and reason. */
	void (*report)(void *ctx, const char *path, int code, const char *text);
	/* Called a few times a second from one thread. */
	void (*progress)(void *ctx, const struct backup_progress *p);
	void *ctx;
	/* With stdin: asked after end of file; not 0 means the producer failed
	 * and no snapshot may be made.  May be NULL. */
	int (*stdin_finished)(void *ctx);
};

struct backup_result {
	char id[40];	/* of the snapshot; "" on a dry run */
	char time[48];	/* as the mount names it */
	uint64_t seq;
	bool first;	/* no earlier snapshot of the source */
	uint64_t files, files_new, files_changed, files_unchanged;
	uint64_t dirs, others;
	uint64_t bytes;	      /* content of all files */
	uint64_t new_bytes;   /* of chunks not known before */
	uint64_t stored;      /* bytes written to the store */
	uint64_t errors;      /* paths reported */
};

struct writer;

/* Open a repository for writing; *w is given.  Errors as
 * history_open_repository, and -EROFS when its must-write features are
 * unknown. */
int writer_open(const char *repo, const struct history_open_options *o,
	struct writer **w, struct err *e);
void writer_free(struct writer *w);

/*
 * Make one snapshot.  0 also when paths could not be read (result->errors
 * counts them); -ECANCELED interrupted; -ENOENT no such directory; other
 * -errno of store and system.
 */
int writer_backup(struct writer *w, const struct backup_options *o,
	struct backup_result *result, struct err *e);

#define auto_writer AUTO(writer_auto_)
static inline void
writer_auto_(struct writer **w)
{
	writer_free(*w);
}

#endif
