/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every byte of a slot follows from its first 52 and the secret, and is checked
 * when it is opened: so that what slot_make writes has the layout of the known
 * answers if it opens again.
 */
#include "tests/unit/unit.h"
#include "tests/unit/crypto_vectors.h"

#include <errno.h>
#include "repo/base/bytes.h"
#include "repo/crypto/slot.h"

static const struct slot_secret open_secret = { .type = SLOT_OPEN };
static const struct slot_secret passphrase = {
	.type = SLOT_SCRYPT, .bytes = "correct horse", .len = 13, .log_n = 15
};
static const struct slot_secret key_file = { .type = SLOT_KEYFILE,
	.bytes = vector_key_file,
	.len = sizeof(vector_key_file) };

static int
open_slot(const uint8_t *slot, size_t len, const struct slot_secret *secret,
	uint8_t root[KEY_LEN])
{
	struct err e = ERR_INIT;
	int r = slot_open(vector_repository_id, slot, len, secret, root, &e);

	assert_int_equal(r, -e.code);
	assert_true(r == 0 || e.text[0] != '\0');
	return r;
}

static void
assert_opens(const uint8_t *slot, size_t len, const struct slot_secret *secret)
{
	uint8_t root[KEY_LEN] = { 0 };

	assert_int_equal(open_slot(slot, len, secret, root), 0);
	assert_memory_equal(root, vector_root, KEY_LEN);
}

static void
assert_refused(const uint8_t *slot, size_t len,
	const struct slot_secret *secret, int code)
{
	static const uint8_t zeros[KEY_LEN];
	uint8_t root[KEY_LEN] = { 0 };

	assert_int_equal(open_slot(slot, len, secret, root), -code);
	assert_memory_equal(root, zeros, KEY_LEN);
}

static void
known_slots_open(void **state)
{
	(void)state;
	assert_opens(vector_slot_open, SLOT_LEN, &open_secret);
	assert_opens(vector_slot_scrypt, SLOT_LEN, &passphrase);
	assert_opens(vector_slot_keyfile, SLOT_LEN, &key_file);
}

static void
what_is_made_opens(void **state)
{
	const struct slot_secret *all[] = { &open_secret, &passphrase,
		&key_file };
	(void)state;

	for (size_t i = 0; i < n_elements(all); i++) {
		auto_buf struct buf b = BUF_INIT;
		enum slot_type type;

		assert_int_equal(slot_make(vector_repository_id, vector_root,
					 all[i], &b, NULL),
			0);
		assert_int_equal(b.len, SLOT_LEN);
		assert_int_equal(slot_type(b.data, b.len, &type, NULL), 0);
		assert_int_equal(type, all[i]->type);
		assert_opens(b.data, b.len, all[i]);
	}
}

static void
two_slots_of_one_secret_have_nothing_in_common(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	(void)state;

	for (int i = 0; i < 2; i++)
		assert_int_equal(slot_make(vector_repository_id, vector_root,
					 &key_file, &b, NULL),
			0);
	for (size_t i = 20; i < SLOT_LEN; i += 16)
		assert_memory_not_equal(b.data + i, b.data + SLOT_LEN + i, 16);
}

static void
scrypt_is_hard_unless_told_otherwise(void **state)
{
	struct slot_secret s = passphrase;
	auto_buf struct buf b = BUF_INIT;
	(void)state;

	s.log_n = 0;
	assert_int_equal(
		slot_make(vector_repository_id, vector_root, &s, &b, NULL), 0);
	assert_int_equal(b.data[11], 17);
	assert_int_equal(get_be32(b.data + 12), 8);
	assert_int_equal(get_be32(b.data + 16), 1);
}

static void
the_wrong_secret_is_rejected(void **state)
{
	struct slot_secret wrong = passphrase;
	uint8_t bytes[sizeof(vector_key_file)];
	(void)state;

	wrong.bytes = "correct Horse";
	assert_refused(vector_slot_scrypt, SLOT_LEN, &wrong, EKEYREJECTED);
	wrong.len = 0;
	assert_refused(vector_slot_scrypt, SLOT_LEN, &wrong, EKEYREJECTED);
	memcpy(bytes, vector_key_file, sizeof(bytes));
	bytes[63] ^= 1;
	wrong = key_file;
	wrong.bytes = bytes;
	assert_refused(vector_slot_keyfile, SLOT_LEN, &wrong, EKEYREJECTED);
	wrong = key_file;
	wrong.len--;
	assert_refused(vector_slot_keyfile, SLOT_LEN, &wrong, EKEYREJECTED);
}

static void
a_secret_of_another_type_is_rejected(void **state)
{
	(void)state;
	assert_refused(vector_slot_open, SLOT_LEN, &passphrase, EKEYREJECTED);
	assert_refused(vector_slot_scrypt, SLOT_LEN, &key_file, EKEYREJECTED);
	assert_refused(
		vector_slot_keyfile, SLOT_LEN, &open_secret, EKEYREJECTED);
}

static void
a_slot_of_another_repository_is_rejected(void **state)
{
	uint8_t other[REPOSITORY_ID_LEN], root[KEY_LEN];
	(void)state;

	memcpy(other, vector_repository_id, sizeof(other));
	other[15] ^= 1;
	assert_int_equal(slot_open(other, vector_slot_open, SLOT_LEN,
				 &open_secret, root, NULL),
		-EKEYREJECTED);
	assert_int_equal(slot_open(other, vector_slot_scrypt, SLOT_LEN,
				 &passphrase, root, NULL),
		-EKEYREJECTED);
	assert_int_equal(slot_open(other, vector_slot_keyfile, SLOT_LEN,
				 &key_file, root, NULL),
		-EKEYREJECTED);
}

/* Flip each bit of [from, to) in turn, every `step`th. */
static void
assert_flips_are_refused(const uint8_t *good, const struct slot_secret *secret,
	size_t from, size_t to, size_t step)
{
	for (size_t bit = from * 8; bit < to * 8; bit += step) {
		uint8_t slot[SLOT_LEN], root[KEY_LEN];

		memcpy(slot, good, SLOT_LEN);
		slot[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(open_slot(slot, SLOT_LEN, secret, root) < 0);
	}
}

static void
any_flipped_bit_is_refused(void **state)
{
	(void)state;
	assert_flips_are_refused(
		vector_slot_open, &open_secret, 0, SLOT_LEN, 1);
	assert_flips_are_refused(
		vector_slot_keyfile, &key_file, 0, SLOT_LEN, 1);
	/* behind its header, scrypt costs 0.1 s a bit */
	assert_flips_are_refused(vector_slot_scrypt, &passphrase, 0, 20, 1);
	assert_flips_are_refused(
		vector_slot_scrypt, &passphrase, 20, SLOT_LEN, 101);
}

static void
other_lengths_are_refused(void **state)
{
	uint8_t slot[SLOT_MAX] = { 0 };
	(void)state;

	memcpy(slot, vector_slot_open, SLOT_LEN);
	for (size_t len = 0; len <= SLOT_MAX; len++)
		if (len != SLOT_LEN)
			assert_refused(slot, len, &open_secret, EUCLEAN);
}

static void
a_newer_version_is_told_from_damage(void **state)
{
	uint8_t slot[SLOT_MAX] = { 0 };
	(void)state;

	memcpy(slot, vector_slot_open, SLOT_LEN);
	put_be16(slot + 8, 2);
	assert_refused(slot, SLOT_LEN, &open_secret, EPROTONOSUPPORT);
	assert_refused(slot, 300, &open_secret, EPROTONOSUPPORT);
	put_be16(slot + 8, 0);
	assert_refused(slot, SLOT_LEN, &open_secret, EUCLEAN);
}

static void
assert_parameters_refused(const uint8_t *good, const struct slot_secret *secret,
	uint8_t log_n, uint32_t r, uint32_t p)
{
	uint8_t slot[SLOT_LEN];

	memcpy(slot, good, SLOT_LEN);
	slot[11] = log_n;
	put_be32(slot + 12, r);
	put_be32(slot + 16, p);
	assert_refused(slot, SLOT_LEN, secret, EUCLEAN);
}

/* If they were believed, this test would take terabytes. */
static void
parameters_out_of_bounds_are_refused(void **state)
{
	const uint8_t *scrypt = vector_slot_scrypt;
	(void)state;

	assert_parameters_refused(scrypt, &passphrase, 14, 8, 1);
	assert_parameters_refused(scrypt, &passphrase, 21, 8, 1);
	assert_parameters_refused(scrypt, &passphrase, 63, 8, 1);
	assert_parameters_refused(scrypt, &passphrase, 15, 7, 1);
	assert_parameters_refused(scrypt, &passphrase, 15, 1u << 30, 1);
	assert_parameters_refused(scrypt, &passphrase, 15, 8, 0);
	assert_parameters_refused(scrypt, &passphrase, 15, 8, 5);
	assert_parameters_refused(vector_slot_open, &open_secret, 1, 0, 0);
	assert_parameters_refused(vector_slot_keyfile, &key_file, 0, 8, 0);
	assert_parameters_refused(vector_slot_keyfile, &key_file, 0, 0, 1);
}

static void
assert_not_made(struct slot_secret secret)
{
	auto_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(
		slot_make(vector_repository_id, vector_root, &secret, &b, &e),
		-EINVAL);
	assert_int_equal(b.len, 0);
	assert_true(e.text[0] != '\0');
}

static void
weak_secrets_are_not_used(void **state)
{
	(void)state;
	assert_not_made((struct slot_secret){
		.type = SLOT_SCRYPT, .bytes = "", .len = 0 });
	assert_not_made((struct slot_secret){
		.type = SLOT_KEYFILE, .bytes = vector_key_file, .len = 31 });
	assert_not_made((struct slot_secret){
		.type = SLOT_SCRYPT, .bytes = "x", .len = 1, .log_n = 14 });
	assert_not_made((struct slot_secret){
		.type = SLOT_SCRYPT, .bytes = "x", .len = 1, .log_n = 21 });
	assert_not_made((struct slot_secret){ .type = (enum slot_type)3,
		.bytes = vector_key_file,
		.len = 64 });
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_slots_open),
		cmocka_unit_test(what_is_made_opens),
		cmocka_unit_test(
			two_slots_of_one_secret_have_nothing_in_common),
		cmocka_unit_test(scrypt_is_hard_unless_told_otherwise),
		cmocka_unit_test(the_wrong_secret_is_rejected),
		cmocka_unit_test(a_secret_of_another_type_is_rejected),
		cmocka_unit_test(a_slot_of_another_repository_is_rejected),
		cmocka_unit_test(any_flipped_bit_is_refused),
		cmocka_unit_test(other_lengths_are_refused),
		cmocka_unit_test(a_newer_version_is_told_from_damage),
		cmocka_unit_test(parameters_out_of_bounds_are_refused),
		cmocka_unit_test(weak_secrets_are_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
