/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/agree.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "repo/base/auto.h"

bool
agree_ask(const char *question)
{
	auto_close int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char answer[16] = "";
	ssize_t n;

	if (tty < 0)
		return false;
	dprintf(tty, "%s [y/N] ", question);
	n = read(tty, answer, sizeof(answer) - 1);
	return n > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}
