/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/log.h"

int
tool_fail(const struct err *e)
{
	log_error("%s", e->text);
	return STATUS_FAILED;
}

int
tool_fail_open(const struct err *e)
{
	log_error("%s", e->text);
	switch (e->code) {
	case ENOENT:
	case ENOTDIR:
	case EMEDIUMTYPE:
		return STATUS_NO_REPOSITORY;
	case EKEYREJECTED:
	case ENOKEY:
		return STATUS_LOCKED_OUT;
	case EINTR:
		return STATUS_INTERRUPTED;
	default:
		return STATUS_FAILED;
	}
}

void
tool_prefix(struct err *e, const char *path, const char *what)
{
	char shown[ERR_TEXT_MAX];
	auto_free char *named = NULL;
	const char *at;

	err_escape(shown, sizeof(shown), path, strlen(path));
	named = xasprintf("%s: ", shown);
	at = strstr(e->text, named);
	if (!at || at == e->text || !strchr(":/", at[-1]))
		err_prefix(e, "%s", what);
}

int
tool_usage(const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("%s", text);
	return STATUS_USAGE;
}

int
tool_finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	log_error("cannot write standard output: %s", strerror(errno));
	return status == STATUS_DONE ? STATUS_FAILED : status;
}
