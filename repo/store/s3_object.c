/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/store/s3_object.h"

#include <errno.h>
#include <string.h>

/* Nothing can be had of an object: whether there is one at all. */
static int
get_nothing(struct s3_client *c, const char *name, size_t *got, struct err *e)
{
	uint64_t size;
	int r = s3_object_size(c, name, &size, e);

	if (r == 0 && got)
		*got = 0;
	return r;
}

static int
cut_off(const struct s3_client *c, const char *name, size_t n, size_t len,
	uint64_t off, struct err *e)
{
	auto_free char *what = s3_client_address(c, name);

	return err_set(e, EBADMSG, "%s is cut off: %zu of %zu bytes at %llu",
		what, n, len, (unsigned long long)off);
}

int
s3_object_get(struct s3_client *c, const char *name, uint64_t off, size_t len,
	void *buf, size_t *got, const struct store_call *how, struct err *e)
{
	auto_s3_call struct s3_call call = {
		.kind = S3_GET,
		.method = "GET",
		.name = name,
		.range = { .off = off, .len = len, .into = buf },
		.how = how,
	};
	int r;

	if (off > INT64_MAX - len)
		return err_set(e, EINVAL,
			"%s: offset %llu is beyond all objects", name,
			(unsigned long long)off);
	if (len == 0)
		return get_nothing(c, name, got, e);
	r = s3_call(c, &call, e);
	/* beyond its end, if the server does not contradict itself */
	if (r == -ERANGE &&
		(call.rs.head.size < 0 || (uint64_t)call.rs.head.size <= off)) {
		r = 0;
		if (e)
			*e = (struct err)ERR_INIT;
	}
	if (r < 0)
		return r;
	if (got)
		*got = call.got;
	else if (call.got < len)
		return cut_off(c, name, call.got, len, off, e);
	return 0;
}

int
s3_object_size(
	struct s3_client *c, const char *name, uint64_t *size, struct err *e)
{
	auto_s3_call struct s3_call call = {
		.kind = S3_HEAD, .method = "HEAD", .name = name
	};
	int r = s3_call(c, &call, e);

	if (r < 0)
		return r;
	if (call.rs.head.length < 0) {
		auto_free char *what = s3_client_address(c, name);

		return err_set(
			e, EIO, "%s: the server does not tell its size", what);
	}
	*size = (uint64_t)call.rs.head.length;
	return 0;
}

int
s3_object_metadata(struct s3_client *c, const char *name, const char *key,
	char *out, size_t size, struct err *e)
{
	auto_free char *want = xasprintf("x-amz-meta-%s", key);
	auto_s3_call struct s3_call call = {
		.kind = S3_HEAD, .method = "HEAD", .name = name, .want = want
	};
	int r = s3_call(c, &call, e);
	const char *value = call.rs.head.wanted;

	if (r < 0)
		return r;
	if (!*value)
		return err_set(e, ENODATA, "%s has no %s", name, want);
	if (strlen(value) >= size)
		return err_set(e, ERANGE, "%s: %s is too long", name, want);
	memcpy(out, value, strlen(value) + 1);
	return 0;
}
