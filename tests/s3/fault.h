/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes wrong, by order of a test: rules "OPERATION PATTERN WHEN KIND[=N]".
 *
 * OPERATION  one of http_operation, or "*"
 * PATTERN    of file names (fnmatch, '*' matches '/'), for the key; for LIST
 * and BATCH for the prefix asked for, or "" WHEN       3 the third time only,
 * 3x5 five times from the third, 3+ for ever from the third.  Only calls that
 * are signed rightly count. KIND       what happens:
 *
 *   instead of an answer
 *   400..599, 301, 307   that status, with the usual body, and a Location
 *   skewed     403 RequestTimeTooSkewed
 *   reset      connection reset; =N after N bytes of the body
 *   close      connection closed
 *   stall      silence; =N after N bytes of the body
 *   garbage    something that is not HTTP
 *   headers    a head that never ends
 *   error      status 200 and a body that says <Error>
 *   lost       as if all went well, and nothing was done
 *   unheard    it was done, and the connection is reset
 *
 *   with the answer
 *   delay      so many ms before it
 *   slow       so many bytes a second
 *   truncated  half of the body, then closed
 *   chunked    in chunks, without Content-Length (which is allowed)
 *   flip       a bit in the middle of the body
 *
 *   with the range of a GET
 *   whole      200 and all of the object
 *   shorter    half of it, and Content-Range says so
 *   longer     more bytes than Content-Range says
 *   beside     the range one byte further, and Content-Range says so
 *   mute       206 without Content-Range
 *
 *   with a page of a listing
 *   part       half of the keys, and nothing says that there are more
 *   stale      without what was stored since the rule was made
 *   twice      each key two times
 *   unordered  from last to first
 *   endless    the first page again and again
 *   tokenless  there is more, and no token to go on with
 *   foreign    a key that does not have the prefix
 *   malformed  XML that ends in the middle
 *   entities   XML that grows without bound
 *
 * A rule that has been made later is looked at first; one a call.
 */
#ifndef YORE_TESTS_S3_FAULT_H
#define YORE_TESTS_S3_FAULT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include "repo/base/buf.h"

enum fault_kind {
	NO_FAULT,
	FAULT_STATUS, /* argument: the status */
	FAULT_SKEWED,
	FAULT_RESET,
	FAULT_CLOSE,
	FAULT_STALL,
	FAULT_GARBAGE,
	FAULT_HEADERS,
	FAULT_ERROR,
	FAULT_LOST,
	FAULT_UNHEARD,
	FAULT_DELAY,
	FAULT_SLOW,
	FAULT_TRUNCATED,
	FAULT_CHUNKED,
	FAULT_FLIP,
	FAULT_WHOLE,
	FAULT_SHORTER,
	FAULT_LONGER,
	FAULT_BESIDE,
	FAULT_MUTE,
	FAULT_PART,
	FAULT_STALE,
	FAULT_TWICE,
	FAULT_UNORDERED,
	FAULT_ENDLESS,
	FAULT_TOKENLESS,
	FAULT_FOREIGN,
	FAULT_MALFORMED,
	FAULT_ENTITIES,
};

struct fault {
	enum fault_kind kind;
	int64_t argument; /* -1: none given */
	int64_t made;	  /* when the rule was made, net_now() */
	char name[32];	  /* as it was given */
};

/* Add a rule; the text is cut.  False when it is none. */
bool fault_add(char *rule);
void fault_clear(void);
/* One line a rule: how many calls matched, how many went wrong, the rule. */
void fault_list(struct buf *reply);
/* What is to happen to a call; it counts as one. */
struct fault fault_next(const char *operation, const char *key);

#endif
