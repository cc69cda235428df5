/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int
backup_input_open(struct backup_input *in, const char *command, struct err *e)
{
	int p[2];

	*in = (struct backup_input){ .fd = STDIN_FILENO, .pid = -1 };
	if (!command)
		return 0;
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot run %s", command);
	in->pid = fork();
	if (in->pid == 0) {
		dup2(p[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(p[1]);
	in->fd = p[0];
	if (in->pid < 0)
		return err_sys(e, errno, "cannot run %s", command);
	return 0;
}

int
backup_input_finished(struct backup_input *in)
{
	if (in->pid < 0)
		return 0;
	while (waitpid(in->pid, &in->status, 0) < 0)
		if (errno != EINTR)
			break;
	in->pid = -1;
	return in->status;
}

void
backup_input_explain(const struct backup_input *in, struct err *e)
{
	if (WIFSIGNALED(in->status))
		err_set(e, ECANCELED,
			"the command was killed by signal %d;"
			" nothing was kept",
			WTERMSIG(in->status));
	else if (in->status)
		err_set(e, ECANCELED,
			"the command failed with status %d;"
			" nothing was kept",
			WEXITSTATUS(in->status));
}

void
backup_input_close(struct backup_input *in)
{
	if (in->fd > STDERR_FILENO)
		close(in->fd);
	in->fd = -1;
	if (in->pid > 0) {
		kill(in->pid, SIGTERM);
		backup_input_finished(in);
	}
}
