/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/crypto/keyring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>
#include "repo/crypto/kdf.h"

static size_t
whole_pages(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n + page - 1) / page * page;
}

void *
secret_alloc(size_t n)
{
	size_t size = whole_pages(n);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	kdf_must(p != MAP_FAILED, "memory for keys");
	(void)mlock(p, size); /* best effort: RLIMIT_MEMLOCK may be 0 */
	(void)madvise(p, size, MADV_DONTDUMP);
	return p;
}

void
secret_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

void
secret_free(void *p, size_t n)
{
	if (!p)
		return;
	secret_wipe(p, n);
	munmap(p, whole_pages(n));
}

void
secret_no_dump(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
}

void
random_bytes(void *out, size_t n)
{
	uint8_t *p = out;

	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		kdf_must(got > 0, "random bytes");
		p += got;
		n -= (size_t)got;
	}
}

/* K(x) of FORMAT, "Keys" */
static void
derive(const struct keyring *k, const char *label, uint8_t key[KEY_LEN])
{
	kdf_hkdf(&(struct kdf_part){ k->root, KEY_LEN },
		&(struct kdf_part){ k->repository_id, REPOSITORY_ID_LEN },
		&(struct kdf_part){ label, strlen(label) }, key, KEY_LEN);
}

struct keyring *
keyring_new(const uint8_t repository_id[REPOSITORY_ID_LEN],
	const uint8_t root[KEY_LEN])
{
	struct keyring *k = secret_alloc(sizeof(*k));

	memcpy(k->repository_id, repository_id, REPOSITORY_ID_LEN);
	memcpy(k->root, root, KEY_LEN);
	derive(k, "yore/1/id", k->id);
	derive(k, "yore/1/cut", k->cut);
	derive(k, "yore/1/pack", k->pack);
	derive(k, "yore/1/index", k->index);
	derive(k, "yore/1/record", k->record);
	derive(k, "yore/1/cache", k->cache);
	derive(k, "yore/1/delta", k->delta);
	derive(k, "yore/1/page", k->page);
	return k;
}

void
keyring_free(struct keyring *k)
{
	secret_free(k, sizeof(*k));
}
