/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include "tests/unit/crypto_vectors.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "repo/crypto/keyring.h"

static void
keys_are_the_known_answers(void **state)
{
	(void)state;
	auto_keyring struct keyring *k =
		keyring_new(vector_repository_id, vector_root);

	assert_memory_equal(
		k->repository_id, vector_repository_id, REPOSITORY_ID_LEN);
	assert_memory_equal(k->root, vector_root, KEY_LEN);
	assert_memory_equal(k->id, vector_k_id, KEY_LEN);
	assert_memory_equal(k->cut, vector_k_cut, KEY_LEN);
	assert_memory_equal(k->pack, vector_k_pack, KEY_LEN);
	assert_memory_equal(k->index, vector_k_index, KEY_LEN);
	assert_memory_equal(k->record, vector_k_record, KEY_LEN);
	assert_memory_equal(k->cache, vector_k_cache, KEY_LEN);
}

static void
another_repository_with_the_same_secret_has_other_keys(void **state)
{
	uint8_t other[REPOSITORY_ID_LEN] = { 1 };
	(void)state;
	auto_keyring struct keyring *a =
		keyring_new(vector_repository_id, vector_root);
	auto_keyring struct keyring *b = keyring_new(other, vector_root);

	assert_memory_not_equal(a->id, b->id, KEY_LEN);
	assert_memory_not_equal(a->pack, b->pack, KEY_LEN);
	assert_memory_not_equal(a->cache, b->cache, KEY_LEN);
}

/* Copy the VmFlags line of the mapping that holds p to flags. */
static void
flags_of_mapping(const void *p, char *flags, size_t size)
{
	auto_fclose FILE *maps = fopen("/proc/self/smaps", "r");
	unsigned long from = 0, to = 0;
	char line[512];
	bool inside = false;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= (unsigned long)p &&
				 (unsigned long)p < to;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, size, "%s", line);
	}
}

static void
secrets_stay_out_of_core_dumps(void **state)
{
	void *p = secret_alloc(100);
	char flags[512] = "";
	(void)state;

	flags_of_mapping(p, flags, sizeof(flags));
	assert_non_null(strstr(flags, " dd"));
	secret_free(p, 100);
}

/* Sanitizers ignore mlock, and the machine may not allow it. */
static bool
locking_works(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char flags[512] = "";

	assert_ptr_not_equal(p, MAP_FAILED);
	if (mlock(p, page) == 0)
		flags_of_mapping(p, flags, sizeof(flags));
	munmap(p, page);
	return strstr(flags, " lo") != NULL;
}

static void
secrets_are_locked(void **state)
{
	char flags[512] = "";
	(void)state;

	if (!locking_works())
		skip();
	void *p = secret_alloc(100);

	flags_of_mapping(p, flags, sizeof(flags));
	assert_non_null(strstr(flags, " lo"));
	secret_free(p, 100);
}

static void
a_fork_keeps_its_secrets(void **state)
{
	uint8_t *p = secret_alloc(1);
	int status = -1;
	(void)state;

	*p = 7;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(*p == 7 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	secret_free(p, 1);
}

static void
wiped_memory_is_zero(void **state)
{
	static const uint8_t zeros[64];
	uint8_t secret[64];
	(void)state;

	memset(secret, 0xaa, sizeof(secret));
	secret_wipe(secret, sizeof(secret));
	assert_memory_equal(secret, zeros, sizeof(secret));
}

static void
a_process_with_secrets_leaves_no_core(void **state)
{
	int status = -1;
	pid_t pid = fork();
	(void)state;

	assert_true(pid >= 0);
	if (pid == 0) {
		secret_no_dump();
		_exit(prctl(PR_GET_DUMPABLE) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
random_bytes_fill_all_they_are_asked_for(void **state)
{
	uint8_t a[1000] = { 0 }, b[1000] = { 0 };
	size_t zeros = 0;
	(void)state;

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b) - 1);
	assert_int_equal(b[sizeof(b) - 1], 0);
	assert_memory_not_equal(a, b, sizeof(a));
	for (size_t i = 0; i < sizeof(a); i++)
		zeros += a[i] == 0;
	assert_in_range(zeros, 0, 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_the_known_answers),
		cmocka_unit_test(
			another_repository_with_the_same_secret_has_other_keys),
		cmocka_unit_test(secrets_stay_out_of_core_dumps),
		cmocka_unit_test(secrets_are_locked),
		cmocka_unit_test(a_fork_keeps_its_secrets),
		cmocka_unit_test(wiped_memory_is_zero),
		cmocka_unit_test(a_process_with_secrets_leaves_no_core),
		cmocka_unit_test(random_bytes_fill_all_they_are_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
