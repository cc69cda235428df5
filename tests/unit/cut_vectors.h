/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Made by cut_vectors.py; frozen. */
#ifndef YORE_TESTS_CUT_VECTORS_H
#define YORE_TESTS_CUT_VECTORS_H

#include <stdint.h>

#define VECTOR_CONTENT_HASHES 98304
#define VECTOR_ENTRIES 8000

static const uint32_t vector_chunk_lens[11] = {
	435612, 406397, 328727, 171568, 312304, 256662,
	262009, 312515, 109545, 314691, 235698,
};

static const uint32_t vector_page_entries[5] = {
	1605, 2855, 1624, 1616, 300,
};

#define VECTOR_PAGE_ID "af981f69a03c1cca3491e456f3f07492cb31b632"

#endif
