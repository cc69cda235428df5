/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is fetched before it is asked for, counted. */
#include "tests/unit/forge.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define FRAMES 60
#define FILES_A_FRAME 8
#define FILE_LEN 40960
#define FILES (FRAMES * FILES_A_FRAME)
#define BIG_PIECES 64
#define PIECE_LEN (128 << 10)
#define PAGE 1000 /* entries */

/*
 * Directories of 40 files of 40 KiB, eight in a frame, and one big file of
 * 8 MiB; nodes are counted through by number.
 */
static struct forge f;
static uint64_t small[FILES];
static uint64_t big;
static uint32_t big_page; /* extents in a page of its map */

static struct entry
plain_entry(const char *name, uint32_t mode)
{
	return (struct entry){ .name = (const uint8_t *)name,
		.name_len = (uint32_t)strlen(name),
		.mode = mode,
		.nlink = 1 };
}

static void
forge_small(struct entry *files, size_t n)
{
	static uint8_t content[FILE_LEN];
	struct forge_chunk chunks[FILES_A_FRAME];
	struct ref refs[FILES_A_FRAME];

	random_bytes(content, sizeof(content));
	for (size_t i = 0; i < FILES_A_FRAME; i++)
		chunks[i] = (struct forge_chunk){ content, FILE_LEN };
	for (size_t i = 0; i < n; i++) {
		if (i % FILES_A_FRAME == 0)
			forge_frame(&f, OBJECT_DATA, FRAME_DATA, chunks,
				FILES_A_FRAME, refs);
		files[i].content = CONTENT_CHUNK;
		files[i].size = FILE_LEN;
		files[i].ref = refs[i % FILES_A_FRAME];
	}
}

static void
forge_big(struct entry *file)
{
	static uint8_t piece[PIECE_LEN];
	const struct forge_chunk c = { piece, PIECE_LEN };
	struct extent x[BIG_PIECES] = { { .off = 0 } };

	for (uint64_t i = 0; i < BIG_PIECES; i++) {
		x[i].off = i * PIECE_LEN;
		x[i].len = PIECE_LEN;
		forge_frame(&f, OBJECT_DATA, FRAME_DATA, &c, 1, &x[i].ref);
	}
	file->size = BIG_PIECES * PIECE_LEN;
	f.page_max = big_page;
	forge_extents(&f, x, BIG_PIECES, file);
	f.page_max = PAGE;
}

#define DIRS 12
#define FILES_A_DIR (FILES / DIRS)

static void
forge_all(void)
{
	static char host[] = "h", name[] = "n";
	static char names[FILES_A_DIR][8], dirs[DIRS][8];
	struct entry files[FILES_A_DIR], root[DIRS + 1];
	struct record r = { .host = host, .name = name, .seq = 1,
		.generation = 1 };
	uint64_t node = 1;

	forge_init(&f, PAGE);
	for (int i = 0; i < FILES_A_DIR; i++)
		snprintf(names[i], sizeof(names[i]), "f%03d", i);
	for (int d = 0; d < DIRS; d++) {
		snprintf(dirs[d], sizeof(dirs[d]), "d%02d", d);
		root[d] = plain_entry(dirs[d], S_IFDIR | 0755);
		for (int i = 0; i < FILES_A_DIR; i++) {
			files[i] = plain_entry(names[i], S_IFREG | 0644);
			small[d * FILES_A_DIR + i] = node + 1 + (uint64_t)i;
		}
		node += FILES_A_DIR + 1;
		forge_small(files, FILES_A_DIR);
		forge_dir(&f, files, FILES_A_DIR, &root[d], NULL);
	}
	root[DIRS] = plain_entry("e", S_IFREG | 0644);
	big = node;
	forge_big(&root[DIRS]);
	r.root = plain_entry("", S_IFDIR | 0755);
	forge_dir(&f, root, DIRS + 1, &r.root, NULL);
	forge_record(&f, &r, NULL, NULL);
	forge_flush(&f);
}

static struct history *h;
static struct view *v;
static struct history_stats before; /* what is counted began */

static int
open_all(uint32_t page)
{
	big_page = page;
	forge_all();
	h = forge_open(&f, 0);
	v = forge_view(h, 0);
	history_stats(h, &before);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	return open_all(PAGE);
}

static int
set_up_pages(void **state)
{
	(void)state;
	return open_all(6);
}

static int
tear_down(void **state)
{
	(void)state;
	view_put(v);
	history_free(h);
	forge_release(&f);
	return 0;
}

/* Frames counted since then. */
static struct history_stats
counted(void)
{
	struct history_stats s;

	history_stats(h, &s);
	s.frames_unsealed -= before.frames_unsealed;
	s.ahead_frames -= before.ahead_frames;
	return s;
}

/* Read, then give the read-ahead time to happen. */
static void
read_at(uint64_t node, uint64_t off, size_t len)
{
	auto_view_data struct view_data d = VIEW_DATA_INIT;
	const struct timespec pause = { .tv_nsec = 300000 };
	struct err e = ERR_INIT;

	assert_int_equal(view_read(v, node, off, len, &d, &e), 0);
	nanosleep(&pause, NULL);
}

/* Make the directories' pages known, as a walk's listings do, and count from
 * then on. */
static void
list_all(void)
{
	struct view_attr a;
	struct err e = ERR_INIT;

	for (int i = 0; i < FILES; i++)
		assert_int_equal(view_attr(v, small[i], &a, &e), 0);
	history_stats(h, &before);
}

static void
a_walk_over_small_files_is_read_ahead(void **state)
{
	struct history_stats s;

	(void)state;
	list_all();
	for (int i = 0; i < FILES; i++)
		read_at(small[i], 0, FILE_LEN);
	s = counted();
	/* every frame once; then the page of the big file, its first piece */
	assert_in_range(s.frames_unsealed, FRAMES, FRAMES + 2);
	assert_true(s.ahead_frames >= FRAMES / 2);
}

static void
a_walk_is_known_before_directories_were_listed(void **state)
{
	(void)state;
	for (int i = 0; i < FILES; i++)
		read_at(small[i], 0, FILE_LEN);
	assert_true(counted().ahead_frames >= FRAMES / 2);
}

static void
two_walks_at_once_are_both_read_ahead(void **state)
{
	(void)state;
	list_all();
	for (int i = 0; i < FILES / 2; i++) {
		read_at(small[i], 0, FILE_LEN);
		read_at(small[FILES / 2 + i], 0, FILE_LEN);
	}
	assert_true(counted().ahead_frames >= FRAMES / 2);
}

static void
random_small_files_are_not_read_ahead(void **state)
{
	(void)state;
	list_all();
	/* 29 and 60 have no common divisor: all frames, never the next */
	for (int i = 0; i < FRAMES; i++)
		read_at(small[i * 29 % FRAMES * FILES_A_FRAME], 0, FILE_LEN);
	assert_int_equal(counted().ahead_frames, 0);
	assert_int_equal(counted().frames_unsealed, FRAMES);
}

static void
a_walk_backwards_is_not_read_ahead(void **state)
{
	(void)state;
	list_all();
	for (int i = FILES - 1; i >= 0; i--)
		read_at(small[i], 0, FILE_LEN);
	assert_int_equal(counted().ahead_frames, 0);
}

static void
a_big_file_is_read_ahead_in_sequence(void **state)
{
	struct history_stats s;

	(void)state;
	list_all();
	read_at(big, 0, 1);
	history_stats(h, &before);
	for (uint64_t off = 0; off < BIG_PIECES * PIECE_LEN; off += PIECE_LEN)
		read_at(big, off, PIECE_LEN);
	s = counted();
	assert_in_range(s.frames_unsealed, BIG_PIECES - 1, BIG_PIECES);
	assert_true(s.ahead_frames >= BIG_PIECES / 2);
}

/* Wait until nothing more is read ahead. */
static void
settle(void)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	uint64_t n;

	do {
		n = counted().ahead_frames;
		nanosleep(&pause, NULL);
	} while (counted().ahead_frames != n);
}

static void
read_ahead_goes_on_behind_a_page_of_the_map_that_lacked(void **state)
{
	struct history_stats s;

	(void)state;
	list_all();
	for (uint64_t off = 0; off < BIG_PIECES * PIECE_LEN; off += PIECE_LEN) {
		read_at(big, off, PIECE_LEN);
		settle();
	}
	s = counted();
	/* pieces and pages, but for those that it begins with */
	assert_in_range(s.ahead_frames, BIG_PIECES + BIG_PIECES / 6 - 8,
		s.frames_unsealed);
}

static void
random_reads_of_a_big_file_fetch_one_frame_each(void **state)
{
	unsigned n = 0;

	(void)state;
	list_all();
	read_at(big, 40 * PIECE_LEN, 1);
	history_stats(h, &before);
	/* 27 pieces are more than what counts as near */
	for (uint64_t i = 1; i < 40; i++, n++)
		read_at(big, (40 + i * 27) % BIG_PIECES * PIECE_LEN, 4096);
	assert_true(counted().frames_unsealed <= n);
	assert_int_equal(counted().ahead_frames, 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_walk_over_small_files_is_read_ahead),
		TEST(a_walk_is_known_before_directories_were_listed),
		TEST(two_walks_at_once_are_both_read_ahead),
		TEST(random_small_files_are_not_read_ahead),
		TEST(a_walk_backwards_is_not_read_ahead),
		TEST(a_big_file_is_read_ahead_in_sequence),
		cmocka_unit_test_setup_teardown(
			read_ahead_goes_on_behind_a_page_of_the_map_that_lacked,
			set_up_pages, tear_down),
		TEST(random_reads_of_a_big_file_fetch_one_frame_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
