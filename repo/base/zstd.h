/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zstd when it is needed (repo/base/library.h). */
#ifndef YORE_BASE_ZSTD_H
#define YORE_BASE_ZSTD_H

#include <zstd.h>
#include "repo/base/library.h"

/* clang-format off */
#define ZSTD_FUNCTIONS(F) \
	F(ZSTD_CCtx_setParameter) F(ZSTD_DCtx_setParameter) F(ZSTD_compress2) \
	F(ZSTD_compressBound) F(ZSTD_createCCtx) F(ZSTD_createDCtx) \
	F(ZSTD_decompressDCtx) F(ZSTD_decompressStream) \
	F(ZSTD_findFrameCompressedSize) F(ZSTD_freeCCtx) F(ZSTD_freeDCtx) \
	F(ZSTD_getDictID_fromFrame) F(ZSTD_getErrorName) \
	F(ZSTD_getFrameContentSize) F(ZSTD_isError)
/* clang-format on */

struct zstd_functions {
	ZSTD_FUNCTIONS(LIBRARY_POINTER)
};

/* Whatever is called loads it; without it nothing goes on. */
const struct zstd_functions *zstd_functions(void);
#define ZSTD_CCtx_setParameter zstd_functions()->ZSTD_CCtx_setParameter
#define ZSTD_DCtx_setParameter zstd_functions()->ZSTD_DCtx_setParameter
#define ZSTD_compress2 zstd_functions()->ZSTD_compress2
#define ZSTD_compressBound zstd_functions()->ZSTD_compressBound
#define ZSTD_createCCtx zstd_functions()->ZSTD_createCCtx
#define ZSTD_createDCtx zstd_functions()->ZSTD_createDCtx
#define ZSTD_decompressDCtx zstd_functions()->ZSTD_decompressDCtx
#define ZSTD_decompressStream zstd_functions()->ZSTD_decompressStream
#define ZSTD_findFrameCompressedSize zstd_functions()->ZSTD_findFrameCompressedSize
#define ZSTD_freeCCtx zstd_functions()->ZSTD_freeCCtx
#define ZSTD_freeDCtx zstd_functions()->ZSTD_freeDCtx
#define ZSTD_getDictID_fromFrame zstd_functions()->ZSTD_getDictID_fromFrame
#define ZSTD_getErrorName zstd_functions()->ZSTD_getErrorName
#define ZSTD_getFrameContentSize zstd_functions()->ZSTD_getFrameContentSize
#define ZSTD_isError zstd_functions()->ZSTD_isError

#endif
