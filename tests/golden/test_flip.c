/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every bit of the golden repository is flipped in turn.
 *
 * A frame with any one of its bits flipped must not unseal: that is tried for
 * every bit of every frame of every object.  What follows from it is tried with
 * a history over the damaged repository: every 61st bit of packs with all read
 * that needs the frame; every 16th of these bits, every bit of headers and
 * trailers and every 5th of frames' prefixes with everything read again and
 * compared, byte for byte; every bit of catalogs and records with the listing;
 * every bit of the index with look-ups; every bit of `format` and of the key
 * slots with opening.  What may be lost is what tests/golden/repo-1.places says
 * of the frame; all else must be the same.
 *
 *   test_flip [OBJECT]...     only objects whose names begin so
 *   YORE_FLIP_STEP (61; 1 with YORE_TEST_FULL=1, where every 61st reads all)
 *   YORE_FLIP_WORKERS (the processors there are)
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "repo/base/auto.h"
#include "repo/crypto/seal.h"
#include "repo/crypto/slot.h"
#include "repo/format/object.h"
#include "repo/native/repository.h"
#include "tests/golden/damage.h"
#include "tests/golden/index_truth.h"

#define STEP 61
#define WHOLE_STEP (16 * STEP)
#define PREFIX_STEP 5

struct object {
	char name[STORE_NAME_MAX + 1];
	uint8_t *data;
	size_t len;
	int fd;		       /* of the copy that is damaged */
	enum object_type type; /* 0: format, key slots */
	struct object_key key;
	size_t frames_end; /* where the trailer begins, or the end */
};

static char source[4096], copy[4096];
static struct object objects[64];
static size_t n_objects;
static unsigned step, whole_step, worker, n_workers;
static struct image image;
static struct places places;
static FILE *report; /* stderr itself belongs to the log */
static volatile sig_atomic_t stopped;
static unsigned long n_unsealed, n_read, n_needed, n_listed, n_opened;

enum reading { NOTHING, LISTING, WHAT_NEEDS_IT, EVERYTHING };

static void __attribute__((format(printf, 3, 4), noreturn))
failed(const struct object *o, size_t bit, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(report, "%s: byte %zu bit %zu: ", o->name, bit / 8, bit % 8);
	vfprintf(report, fmt, ap);
	fputc('\n', report);
	va_end(ap);
	exit(1);
}

static void
flip(const struct object *o, size_t bit, bool back)
{
	uint8_t byte = o->data[bit / 8] ^ (uint8_t)(back ? 0 : 1u << (bit % 8));

	if (stopped)
		exit(1);
	if (pwrite(o->fd, &byte, 1, (off_t)(bit / 8)) != 1)
		failed(o, bit, "cannot write: %s", strerror(errno));
}

static struct history *
open_history(const struct object *o, size_t bit, struct err *e)
{
	struct history *h = NULL;

	if (history_open_repository(copy, NULL, &h, e) && o->type)
		failed(o, bit, "does not open: %s", e->text);
	return h;
}

/* -- Frames -------------------------------------------------------------------
 */

/* The frame that holds a byte: its offset, or 0 outside of all frames. */
static size_t
frame_of(const struct object *o, size_t byte, size_t *len)
{
	size_t off = OBJECT_HEADER_LEN;

	while (byte >= off && off < o->frames_end) {
		*len = FRAME_PREFIX_LEN + get_be32(o->data + off + 4);
		if (byte < off + *len)
			return off;
		off += *len;
	}
	return 0;
}

static void
unseal_flipped(const struct object *o, size_t off, size_t len, uint8_t *buf,
	size_t bit)
{
	auto_free uint8_t *plain = NULL;
	struct frame_prefix p;
	int r;

	memcpy(buf, o->data + off, len);
	buf[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	r = frame_unseal(&o->key, off, buf, len, &p, &plain, NULL);
	if (r != -EBADMSG && r != -EUCLEAN)
		failed(o, off * 8 + bit, "the frame unseals (%d)", r);
	n_unsealed++;
	if (stopped)
		exit(1);
}

static void
check_frames(const struct object *o)
{
	auto_free uint8_t *buf = xmalloc(o->len);
	size_t len = 0, off;

	for (off = OBJECT_HEADER_LEN; off < o->frames_end; off += len) {
		auto_free uint8_t *plain = NULL;
		struct frame_prefix p;

		frame_of(o, off, &len);
		memcpy(buf, o->data + off, len);
		if (frame_unseal(&o->key, off, buf, len, &p, &plain, NULL))
			failed(o, off * 8, "does not unseal undamaged");
		for (size_t bit = worker; bit < len * 8; bit += n_workers)
			unseal_flipped(o, off, len, buf, bit);
	}
}

/* -- Histories over one flipped bit
 * ------------------------------------------------ */

/* Headers and trailers are clear; the first bytes of a frame are, too. */
static bool
clear_bit(const struct object *o, size_t bit)
{
	size_t len, off = frame_of(o, bit / 8, &len);

	return off == 0 ||
	       (bit / 8 < off + FRAME_PREFIX_LEN && bit % PREFIX_STEP == 0);
}

static size_t
tree_of(const struct object *o)
{
	for (size_t i = 0; i < image.n; i++) {
		if (strstr(o->name, image.trees[i].id))
			return i;
	}
	return SIZE_MAX;
}

static enum reading
worth_reading(const struct object *o, size_t bit)
{
	bool listed = o->type == OBJECT_RECORD || o->type == OBJECT_CATALOG;
	size_t nth = bit / n_workers;

	if (listed)
		return nth % STEP == 0 ? EVERYTHING : LISTING;
	if (nth % whole_step == 0 || clear_bit(o, bit))
		return EVERYTHING;
	return nth % step == 0 ? WHAT_NEEDS_IT : NOTHING;
}

static void
count(enum reading what)
{
	*(what == LISTING		? &n_listed
			: what == WHAT_NEEDS_IT ? &n_needed
						: &n_read) += 1;
}

static void
check_bit(const struct object *o, size_t bit, enum reading what,
	struct damage *d)
{
	struct verdict v;
	struct err e = ERR_INIT;
	size_t len, off = frame_of(o, bit / 8, &len);
	struct history *h;
	bool ok;

	damage_set(d, &image, &places, off ? o->name : "", off);
	d->hidden = o->type == OBJECT_RECORD ? tree_of(o) : SIZE_MAX;
	d->only = what == WHAT_NEEDS_IT;
	flip(o, bit, false);
	h = open_history(o, bit, &e);
	ok = what == LISTING ? damage_check_listing(h, &image, d, &v)
			     : damage_check(h, &image, d, &v);
	history_free(h);
	flip(o, bit, true);
	if (!ok)
		failed(o, bit, "%s", v.why);
	if (what != LISTING && d->any && v.errors == 0)
		failed(o, bit, "nothing is lost, yet the frame is damaged");
	count(what);
}

static void
check_object(const struct object *o)
{
	struct damage d;

	damage_init(&d, &image);
	for (size_t bit = worker; bit < o->len * 8; bit += n_workers) {
		enum reading what = worth_reading(o, bit);

		if (what != NOTHING)
			check_bit(o, bit, what, &d);
	}
	damage_release(&d, &image);
}

/* What the index says with a bit of a segment flipped is true, or nothing. */
static void
check_index(const struct object *o)
{
	auto_repository struct repository *rp = NULL;
	struct index_truth t;

	if (repository_open(copy, NULL, &rp, NULL) ||
		index_truth_take(&t, &o->key, o->data, o->len) ||
		!index_truth_holds(&t, rp, 0))
		failed(o, 0, "does not read undamaged");
	for (size_t bit = worker; bit < o->len * 8; bit += n_workers) {
		flip(o, bit, false);
		if (!index_truth_holds(&t, rp, bit))
			failed(o, bit, "the index says what is not so");
		flip(o, bit, true);
	}
	index_truth_release(&t);
}

/* -- What is clear text
 * ----------------------------------------------------------- */

static void
check_refused(const struct object *o)
{
	for (size_t bit = worker; bit < o->len * 8; bit += n_workers) {
		struct err e = ERR_INIT;

		flip(o, bit, false);
		if (open_history(o, bit, &e) || !*e.text ||
			strchr(e.text, '\n'))
			failed(o, bit, "is not refused with a line");
		flip(o, bit, true);
		n_opened++;
	}
}

/* A slot opens for its own secret only, and not at all when it is damaged;
 * deriving a key from the passphrase takes its time, so only a part of those
 * bits is tried. */
static void
check_slot(const struct object *o, const struct repository *rp)
{
	static const char *const files[] = { NULL, "password", "key" };
	struct slot_secret secret = { .type = o->data[10] };
	uint8_t root[KEY_LEN], slot[SLOT_LEN];
	auto_free char *path = NULL;
	char bytes[4096];

	if (files[secret.type]) {
		auto_fclose FILE *f = NULL;

		path = xasprintf("%s/../%s", source, files[secret.type]);
		f = fopen(path, "rb");
		secret.bytes = bytes;
		secret.len = f ? fread(bytes, 1, sizeof(bytes), f) : 0;
		secret.len -= secret.type == SLOT_SCRYPT; /* newline */
	}
	if (slot_open(rp->header.id, o->data, o->len, &secret, root, NULL) ||
		memcmp(root, rp->keys->root, KEY_LEN))
		failed(o, 0, "does not open undamaged");
	for (size_t bit = worker; bit < o->len * 8; bit += n_workers) {
		if (secret.type == SLOT_SCRYPT && bit >= (size_t)20 * 8 &&
			bit / n_workers % STEP)
			continue;
		memcpy(slot, o->data, o->len);
		slot[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		if (!slot_open(
			    rp->header.id, slot, o->len, &secret, root, NULL))
			failed(o, bit, "opens");
		n_opened++;
	}
	if (secret.type == SLOT_OPEN)
		check_refused(o);
}

/* -- Objects
 * -------------------------------------------------------------------------- */

static int
load_object(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	struct object *o = &objects[n_objects];
	auto_fclose FILE *f = NULL;

	(void)ftw;
	if (kind != FTW_F)
		return 0;
	if (n_objects == n_elements(objects) || !(f = fopen(path, "rb")))
		return -1;
	snprintf(o->name, sizeof(o->name), "%s", path + strlen(source) + 1);
	o->len = (size_t)st->st_size;
	o->data = xmalloc(o->len + 1);
	n_objects++;
	return fread(o->data, 1, o->len, f) == o->len ? 0 : -1;
}

static void
understand(struct object *o, const struct repository *rp)
{
	struct object_header h;

	o->frames_end = o->len;
	if (o->len < OBJECT_HEADER_LEN ||
		object_header_decode(o->data, &h, NULL))
		return;
	o->type = h.type;
	object_key_init(&o->key, rp->keys, o->type, h.id);
	if (o->type <= OBJECT_INDEX)
		o->frames_end -= OBJECT_TRAILER_LEN;
}

static int
copy_object(struct object *o)
{
	auto_free char *path = xasprintf("%s/%s", copy, o->name);

	for (char *p = path + strlen(copy) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(path, 0700);
		*p = '/';
	}
	o->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return o->fd < 0 ? -1
			 : (write(o->fd, o->data, o->len) != (ssize_t)o->len);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int
take_image(const char *repo)
{
	auto_free char *file = xasprintf("%s.places", source);
	struct err e = ERR_INIT;
	struct history *h;
	int r = history_open_repository(repo, NULL, &h, &e);

	if (!r) {
		r = image_take(h, &image, &e);
		history_free(h);
	}
	if (!r && places_load(file, &places)) {
		err_set(&e, EINVAL, "%s: no places", file);
		r = -EINVAL;
	}
	if (r)
		fprintf(report, "%s\n", e.text);
	return r;
}

/* -- Workers
 * ------------------------------------------------------------------------------
 */

static bool
wanted(const struct object *o, char **names)
{
	for (char **n = names; *n; n++) {
		if (!strncmp(o->name, *n, strlen(*n)))
			return true;
	}
	return !*names;
}

static int
work(char **names)
{
	auto_repository struct repository *rp = NULL;
	const char *tmp = getenv("TMPDIR");

	snprintf(copy, sizeof(copy), "%s/yore-flip.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(copy) || repository_open(source, NULL, &rp, NULL))
		return 1;
	for (size_t i = 0; i < n_objects; i++) {
		understand(&objects[i], rp);
		if (copy_object(&objects[i]))
			return 1;
	}
	if (take_image(copy))
		return 1;
	for (size_t i = 0; i < n_objects; i++) {
		struct object *o = &objects[i];

		if (!wanted(o, names))
			continue;
		if (o->type) {
			check_frames(o);
			check_object(o);
			if (o->type == OBJECT_INDEX)
				check_index(o);
		} else if (!strcmp(o->name, "format")) {
			check_refused(o);
		} else {
			check_slot(o, rp);
		}
	}
	fprintf(report,
		"worker %u: %lu frames unsealed, %lu times all read, "
		"%lu times what needs it, %lu times listed, %lu times opened\n",
		worker, n_unsealed, n_read, n_needed, n_listed, n_opened);
	places_release(&places);
	image_release(&image);
	return 0;
}

static void
remove_copy(void)
{
	if (*copy)
		nftw(copy, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* Interrupted, or left alone, a worker takes its copy away and ends. */
static void
clean_up_at_end(void)
{
	struct sigaction sa = { .sa_handler = stop };

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	atexit(remove_copy);
}

/* The log has much to say; only what failed is for the test's output. */
static void
silence(void)
{
	int fd = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	report = fdopen(fd, "w");
	setvbuf(report, NULL, _IOLBF, 0);
	dup2(null, STDERR_FILENO);
	close(null);
}

static unsigned
number_from(const char *variable, unsigned otherwise)
{
	const char *v = getenv(variable);
	unsigned n = v ? (unsigned)strtoul(v, NULL, 10) : 0;

	return n ? n : otherwise;
}

int
main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	int status, bad = 0;
	unsigned full;

	(void)argc;
	snprintf(source, sizeof(source), "%s/tests/golden/repo-1",
		top ? top : ".");
	setenv("XDG_STATE_HOME", "/dev/null", 1);
	full = number_from("YORE_TEST_FULL", 0);
	step = number_from("YORE_FLIP_STEP", full ? 1 : STEP);
	whole_step = full ? STEP : WHOLE_STEP;
	n_workers = number_from(
		"YORE_FLIP_WORKERS", (unsigned)sysconf(_SC_NPROCESSORS_ONLN));
	if (nftw(source, load_object, 16, FTW_PHYS) || n_objects == 0) {
		fprintf(stderr, "%s: cannot read\n", source);
		return 1;
	}
	fflush(NULL);
	for (worker = 0; worker < n_workers; worker++) {
		if (fork() == 0) {
			silence();
			clean_up_at_end();
			exit(work(argv + 1));
		}
	}
	while (wait(&status) > 0)
		bad |= status;
	for (size_t i = 0; i < n_objects; i++)
		free(objects[i].data);
	return bad ? 1 : 0;
}
