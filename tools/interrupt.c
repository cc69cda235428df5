/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/tool.h"

#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t caught, deferred;
static atomic_bool flag;

static void
on_signal(int signal)
{
	if (!deferred || caught)
		_exit(128 + signal);
	caught = signal;
	flag = true;
}

void
interrupt_install(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct sigaction old;
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		/* nohup and background jobs ignore some: leave it so */
		sigaction(signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(signals[i], &act, NULL);
	}
}

void
interrupt_defer(void)
{
	deferred = 1;
}

bool
interrupt_came(void)
{
	return flag;
}

const atomic_bool *
interrupt_flag(void)
{
	return &flag;
}

int
interrupt_status(void)
{
	return 128 + caught;
}
