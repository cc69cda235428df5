/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include "fs/metrics.h"

static const char *const op_names[N_OPS] = { "lookup", "getattr", "readlink",
	"open", "read", "opendir", "readdir", "readdirplus", "getxattr",
	"listxattr", "lseek", "statfs", "forget", "other" };

static const char *const bounds[HISTOGRAM_BUCKETS] = { "0.00001", "0.0001",
	"0.001", "0.01", "0.1", "1", "10", "+Inf" };

const char *
metrics_op_name(enum op op)
{
	return op_names[op];
}

void
metrics_begin(struct metrics *m, enum op op, int64_t now_ns)
{
	m->op[op].n++;
	m->last_request_ns = now_ns;
}

void
metrics_end(struct metrics *m, enum op op, int64_t ns)
{
	histogram_add(&m->op[op].seconds, ns);
}

static void
own_numbers(const struct metrics *m, struct metric out[6])
{
	const struct metric own[] = {
		{ "read_bytes_total", "Bytes answered to READ.", true,
			m->read_bytes },
		{ "stored_files_total",
			"Files handed to the page cache before they were read.",
			true, m->stored_files },
		{ "stored_bytes_total", "Bytes of those files.", true,
			m->stored_bytes },
		{ "errors_total", "Requests answered EIO or ESTALE.", true,
			m->errors },
		{ "refreshes_total", "Times the store was asked what is new.",
			true, m->refreshes },
		{ "refresh_errors_total", "Refreshes that failed.", true,
			m->refresh_errors },
	};

	for (size_t i = 0; i < n_elements(own); i++)
		out[i] = own[i];
}

static void
print_number(const struct metric *x, struct buf *out)
{
	buf_printf(out, "# HELP yore_%s %s\n# TYPE yore_%s %s\n", x->name,
		x->help, x->name, x->counter ? "counter" : "gauge");
	buf_printf(out, "yore_%s %" PRIu64 "\n", x->name, x->value);
}

/* label: "" or op="read" */
static void
print_histogram(const char *name, const char *label,
	const struct histogram_counts *h, struct buf *out)
{
	const char *comma = *label ? "," : "";
	const char *open = *label ? "{" : "", *close = *label ? "}" : "";
	uint64_t sum = 0;

	for (int b = 0; b < HISTOGRAM_BUCKETS; b++) {
		sum += h->bucket[b];
		buf_printf(out, "yore_%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n",
			name, label, comma, bounds[b], sum);
	}
	buf_printf(out, "yore_%s_sum%s%s%s %.9f\n", name, open, label, close,
		(double)h->ns / 1e9);
	buf_printf(out, "yore_%s_count%s%s%s %" PRIu64 "\n", name, open, label,
		close, sum);
}

static void
print_op(const struct metrics *m, enum op op, struct buf *out)
{
	struct histogram_counts h = histogram_read(&m->op[op].seconds);
	auto_free char *label = xasprintf("op=\"%s\"", op_names[op]);

	print_histogram("fuse_seconds", label, &h, out);
}

/* "buckets": counts, not cumulative, of 10 us, 100 us, ... 10 s, more. */
static void
json_histogram(const struct histogram_counts *h, struct buf *out)
{
	buf_printf(
		out, "\"seconds\": %.9f, \"buckets\": [", (double)h->ns / 1e9);
	for (int b = 0; b < HISTOGRAM_BUCKETS; b++)
		buf_printf(out, "%s%" PRIu64, b ? ", " : "", h->bucket[b]);
	buf_printf(out, "]");
}

void
metrics_prometheus(const struct metrics *m, const struct metrics_more *more,
	struct buf *out)
{
	struct metric own[6];

	buf_printf(out, "# HELP yore_fuse_requests_total "
			"Requests of the kernel, without those about .yore/.\n"
			"# TYPE yore_fuse_requests_total counter\n");
	for (int op = 0; op < N_OPS; op++)
		buf_printf(out,
			"yore_fuse_requests_total{op=\"%s\"} %" PRIu64 "\n",
			op_names[op], m->op[op].n);
	buf_printf(out, "# HELP yore_fuse_seconds "
			"Time from a request to its answer.\n"
			"# TYPE yore_fuse_seconds histogram\n");
	for (int op = 0; op < N_OPS; op++) {
		if (m->op[op].n > 0)
			print_op(m, op, out);
	}
	buf_printf(out, "# HELP yore_store_seconds "
			"Time from a request of the store to its answer.\n"
			"# TYPE yore_store_seconds histogram\n");
	print_histogram("store_seconds", "", &more->store_seconds, out);
	own_numbers(m, own);
	for (size_t i = 0; i < n_elements(own); i++)
		print_number(&own[i], out);
	for (size_t i = 0; i < more->n; i++)
		print_number(&more->numbers[i], out);
}

void
metrics_json(const struct metrics *m, const struct metrics_more *more,
	struct buf *out)
{
	struct metric own[6];

	buf_printf(out, "{\n  \"fuse\": {");
	for (int op = 0; op < N_OPS; op++) {
		struct histogram_counts h = histogram_read(&m->op[op].seconds);

		buf_printf(out, "%s\n    \"%s\": {\"requests\": %" PRIu64 ", ",
			op ? "," : "", op_names[op], m->op[op].n);
		json_histogram(&h, out);
		buf_printf(out, "}");
	}
	buf_printf(out, "\n  },\n  \"store\": {");
	json_histogram(&more->store_seconds, out);
	buf_printf(out, "}");
	own_numbers(m, own);
	for (size_t i = 0; i < n_elements(own); i++)
		buf_printf(out, ",\n  \"%s\": %" PRIu64, own[i].name,
			own[i].value);
	for (size_t i = 0; i < more->n; i++)
		buf_printf(out, ",\n  \"%s\": %" PRIu64, more->numbers[i].name,
			more->numbers[i].value);
	buf_printf(out, "\n}\n");
}
