/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order in which a scan of a table or an index reads a database's pages:
 * those of a b-tree from its root on, an interior page before what it leads to,
 * one b-tree after the other.  In the file several of them take turns, page by
 * page in one that was changed much.
 *
 * It is made of interior pages alone.  A page that none of them leads to (of an
 * overflow chain, a free one, a root that is a leaf) follows the page before it
 * in the file, since what is written together is read together.  So every page
 * has a position, from 0 on.
 *
 * Advice: whatever the bytes are, each page comes exactly once, the time it takes
 * is bounded by their length, and the memory by PAGE_ORDER_RUNS_MAX and two bits a
 * page while it is made.
 */
#ifndef YORE_SQLITE_PAGE_ORDER_H
#define YORE_SQLITE_PAGE_ORDER_H

#include <stdint.h>

/* Pages that lie in order in the file, too, are a run (16 bytes); an order of
 * more of them is none. */
#define PAGE_ORDER_RUNS_MAX (1u << 20)

struct page_order;
struct page_order_builder;

/* Of a database of so many pages, at least one. */
struct page_order_builder *page_order_begin(uint32_t page_size, uint32_t pages);
/* A page, counted from 0: page_size bytes, in the order of the file.  What is no
 * interior page is ignored. */
void page_order_add(
	struct page_order_builder *b, uint32_t page, const uint8_t *data);
/* NULL: too many runs, or no interior pages.  The builder is freed. */
struct page_order *page_order_end(struct page_order_builder *b);
void page_order_abandon(struct page_order_builder *b); /* NULL is allowed */
void page_order_free(struct page_order *o); /* NULL is allowed */

uint32_t page_order_pages(const struct page_order *o);
/* Where a page stands; *n is how many from it on follow each other in the file
 * as in the order. */
uint32_t page_order_position(
	const struct page_order *o, uint32_t page, uint32_t *n);
/* The page that stands there; *n likewise. */
uint32_t page_order_page(
	const struct page_order *o, uint32_t position, uint32_t *n);

#endif
