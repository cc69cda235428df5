/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jansson when it is needed (repo/base/library.h): for --json, the replicator's
 * socket, and keys that a command prints. */
#ifndef YORE_BASE_JANSSON_H
#define YORE_BASE_JANSSON_H

#include <jansson.h>
#include "repo/base/library.h"

/* clang-format off */
#define JANSSON_FUNCTIONS(F) \
	F(json_array) F(json_array_append_new) F(json_array_get) \
	F(json_array_size) F(json_delete) F(json_dumpf) F(json_dumps) \
	F(json_false) F(json_integer) F(json_integer_value) F(json_loadb) \
	F(json_loads) F(json_object) F(json_object_get) \
	F(json_object_set_new) F(json_pack) F(json_real) F(json_string) \
	F(json_string_value) F(json_stringn) F(json_true)
/* clang-format on */

struct jansson_functions {
	JANSSON_FUNCTIONS(LIBRARY_POINTER)
};

/* Whatever is called loads it; without it nothing goes on. */
const struct jansson_functions *jansson_functions(void);

/* As json_decref, which knows the library's json_delete only. */
void jansson_drop(json_t *json);

#define json_array jansson_functions()->json_array
#define json_array_append_new jansson_functions()->json_array_append_new
#define json_array_get jansson_functions()->json_array_get
#define json_array_size jansson_functions()->json_array_size
#define json_delete jansson_functions()->json_delete
#define json_dumpf jansson_functions()->json_dumpf
#define json_dumps jansson_functions()->json_dumps
#define json_false jansson_functions()->json_false
#define json_integer jansson_functions()->json_integer
#define json_integer_value jansson_functions()->json_integer_value
#define json_loadb jansson_functions()->json_loadb
#define json_loads jansson_functions()->json_loads
#define json_object jansson_functions()->json_object
#define json_object_get jansson_functions()->json_object_get
#define json_object_set_new jansson_functions()->json_object_set_new
#define json_pack jansson_functions()->json_pack
#define json_real jansson_functions()->json_real
#define json_string jansson_functions()->json_string
#define json_string_value jansson_functions()->json_string_value
#define json_stringn jansson_functions()->json_stringn
#define json_true jansson_functions()->json_true
#define json_decref jansson_drop

#endif
