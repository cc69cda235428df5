/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State that is written while the program goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/native/state_later.h"

static char dir[] = "/tmp/yore-test-XXXXXX";
static sem_t making; /* a directory is about to be made */

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);

/* A slow disk. */
int
__wrap_mkdir(const char *path, mode_t mode)
{
	sem_post(&making);
	usleep(20000);
	return __real_mkdir(path, mode);
}

static void
what_is_being_written_is_waited_for(void **state)
{
	auto_free char *path = xasprintf("%s/some/where/file", dir);
	auto_free char *other = xasprintf("%s/some/where/other", dir);
	struct buf b = BUF_INIT, c = BUF_INIT;

	(void)state;
	buf_printf(&b, "x");
	buf_printf(&c, "y");
	state_later(path, &b);
	sem_wait(&making);
	state_later(other, &c);
	state_later_wait(path);
	assert_int_equal(access(path, F_OK), 0);
	state_later_wait(NULL);
	assert_int_equal(access(other, F_OK), 0);
	unlink(other);
	unlink(path);
}

static void
a_child_does_not_wait_for_the_parents_thread(void **state)
{
	auto_free char *path = xasprintf("%s/some/where/file", dir);
	struct buf b = BUF_INIT;
	int status;
	pid_t pid;

	(void)state;
	buf_printf(&b, "x");
	state_later(path, &b);
	sem_wait(&making);
	pid = fork();
	if (pid == 0) {
		alarm(10);
		state_later_wait(path);
		_exit(access(path, F_OK) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	unlink(path);
}

static int
tear_down(void **state)
{
	auto_free char *inner = xasprintf("%s/some/where", dir);
	auto_free char *outer = xasprintf("%s/some", dir);

	(void)state;
	rmdir(inner);
	rmdir(outer);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_being_written_is_waited_for),
		cmocka_unit_test(a_child_does_not_wait_for_the_parents_thread),
	};

	if (!mkdtemp(dir) || sem_init(&making, 0, 0))
		return 1;
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
