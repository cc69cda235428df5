/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/crypto/openssl.h"

static struct openssl_functions functions;
static struct library library =
	LIBRARY_OF(functions, CRYPTO_LIBRARY, OPENSSL_FUNCTIONS);

const struct openssl_functions *
openssl_functions(void)
{
	library_need(&library);
	return &functions;
}
