/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include "fs/metrics.h"

static const char *const op_names[N_OPS] = { "lookup", "getattr", "readlink",
	"open", "read", "opendir", "readdir", "readdirplus", "getxattr",
	"listxattr", "lseek", "statfs", "forget", "other" };

static const char *const bounds[METRICS_BUCKETS] = { "0.00001", "0.0001",
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
	int64_t bound = 10000;
	int b = 0;

	for (; b < METRICS_BUCKETS - 1 && ns > bound; b++)
		bound *= 10;
	m->op[op].ns += (uint64_t)ns;
	m->op[op].bucket[b]++;
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

static void
print_histogram(const struct metrics *m, enum op op, struct buf *out)
{
	const char *name = op_names[op];
	uint64_t sum = 0;

	for (int b = 0; b < METRICS_BUCKETS; b++) {
		sum += m->op[op].bucket[b];
		buf_printf(out,
			"yore_fuse_seconds_bucket{op=\"%s\",le=\"%s\"} %" PRIu64
			"\n",
			name, bounds[b], sum);
	}
	buf_printf(out, "yore_fuse_seconds_sum{op=\"%s\"} %.9f\n", name,
		(double)m->op[op].ns / 1e9);
	buf_printf(out, "yore_fuse_seconds_count{op=\"%s\"} %" PRIu64 "\n",
		name, sum);
}

void
metrics_prometheus(const struct metrics *m, const struct metric *more, size_t n,
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
			print_histogram(m, op, out);
	}
	own_numbers(m, own);
	for (size_t i = 0; i < n_elements(own); i++)
		print_number(&own[i], out);
	for (size_t i = 0; i < n; i++)
		print_number(&more[i], out);
}

void
metrics_json(const struct metrics *m, const struct metric *more, size_t n,
	struct buf *out)
{
	struct metric own[6];

	buf_printf(out, "{\n  \"fuse\": {");
	for (int op = 0; op < N_OPS; op++)
		buf_printf(out,
			"%s\n    \"%s\": {\"requests\": %" PRIu64
			", \"seconds\": %.9f}",
			op ? "," : "", op_names[op], m->op[op].n,
			(double)m->op[op].ns / 1e9);
	buf_printf(out, "\n  }");
	own_numbers(m, own);
	for (size_t i = 0; i < n_elements(own); i++)
		buf_printf(out, ",\n  \"%s\": %" PRIu64, own[i].name,
			own[i].value);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, ",\n  \"%s\": %" PRIu64, more[i].name,
			more[i].value);
	buf_printf(out, "\n}\n");
}
