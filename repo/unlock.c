/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/unlock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "repo/base/auto.h"

/* Secret bytes while they are being collected; cap stays what was locked. */
struct secret {
	char *bytes;
	size_t len, cap;
};

static void
secret_release(struct secret *s)
{
	if (s->bytes)
		secret_free(s->bytes, s->cap);
	s->bytes = NULL;
}

#define auto_bytes AUTO(secret_release)

static void
secret_init(struct secret *s, size_t max)
{
	s->cap = max + 1; /* one more, to notice what is too long */
	s->bytes = secret_alloc(s->cap);
	s->len = 0;
}

/* Read to the end of fd; what names it in messages. */
static int
secret_read(struct secret *s, int fd, const char *what, struct err *e)
{
	while (s->len < s->cap) {
		ssize_t n = read(fd, s->bytes + s->len, s->cap - s->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "cannot read %s", what);
		if (n == 0)
			return 0;
		s->len += (size_t)n;
	}
	return err_set(
		e, EINVAL, "%s: longer than %zu bytes", what, s->cap - 1);
}

static void
strip_newline(struct secret *s)
{
	if (s->len && s->bytes[s->len - 1] == '\n')
		s->len--;
	if (s->len && s->bytes[s->len - 1] == '\r')
		s->len--;
}

/* Hand the bytes over as a slot_secret in memory of exactly their length. */
static int
secret_give(struct secret *s, enum slot_type type, const char *what,
	struct slot_secret *out, struct err *e)
{
	char *bytes;

	if (s->len == 0)
		return err_set(e, EINVAL, "%s: the passphrase is empty", what);
	bytes = secret_alloc(s->len);
	memcpy(bytes, s->bytes, s->len);
	*out = (struct slot_secret){
		.type = type, .bytes = bytes, .len = s->len
	};
	return 0;
}

static int
from_fd(int fd, const char *what, struct slot_secret *out, struct err *e)
{
	auto_bytes struct secret s = { NULL, 0, 0 };
	int r;

	secret_init(&s, UNLOCK_PASSPHRASE_MAX + 2);
	r = secret_read(&s, fd, what, e);
	if (r < 0)
		return r;
	strip_newline(&s);
	return secret_give(&s, SLOT_SCRYPT, what, out, e);
}

/* No key to be had: not the code of the file, which would read as if the
 * repository were missing. */
static int
unreadable(const char *what, const char *path, struct err *e)
{
	const char *reason = strerrordesc_np(errno);

	return err_set(e, ENOKEY, "cannot read the %s %s: %s", what, path,
		reason ? reason : "unknown error");
}

static int
from_file(const char *path, struct slot_secret *out, struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return unreadable("passphrase file", path, e);
	return from_fd(fd, path, out, e);
}

static int
from_key_file(const char *path, struct slot_secret *out, struct err *e)
{
	auto_bytes struct secret s = { NULL, 0, 0 };
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return unreadable("key file", path, e);
	secret_init(&s, UNLOCK_KEY_FILE_MAX);
	r = secret_read(&s, fd, path, e);
	if (r < 0)
		return r;
	if (s.len < UNLOCK_KEY_FILE_MIN)
		return err_set(e, EINVAL,
			"%s: a key file has at least %d bytes", path,
			UNLOCK_KEY_FILE_MIN);
	return secret_give(&s, SLOT_KEYFILE, path, out, e);
}

/* Start /bin/sh -c command with its output in a pipe; *fd is given. */
static pid_t
start_command(const char *command, int *fd, struct err *e)
{
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot run the passphrase command");
	pid = fork();
	if (pid == 0) {
		dup2(p[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(p[1]);
	*fd = p[0];
	if (pid < 0) {
		close(p[0]);
		*fd = -1;
		return err_sys(e, errno, "cannot run the passphrase command");
	}
	return pid;
}

static int
wait_command(pid_t pid, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "the passphrase command");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(e, ECANCELED,
			"the passphrase command was killed"
			" by signal %d",
			WTERMSIG(status));
	return err_set(e, ECANCELED,
		"the passphrase command failed with"
		" status %d",
		WEXITSTATUS(status));
}

static int
from_command(const char *command, struct slot_secret *out, struct err *e)
{
	auto_close int fd = -1;
	struct err failed = ERR_INIT;
	pid_t pid = start_command(command, &fd, e);
	int r, status;

	if (pid < 0)
		return (int)pid;
	r = from_fd(fd, "the passphrase command's output", out, e);
	close(steal_fd(fd));
	status = wait_command(pid, &failed);
	if (status < 0) {
		if (r == 0)
			unlock_release(out);
		if (e)
			*e = failed;
		return status;
	}
	return r;
}

/* The variable's value, then no trace of it in the environment. */
static int
from_environment(char *value, struct slot_secret *out, struct err *e)
{
	size_t len = strlen(value);
	struct secret s = { value, len, len };
	int r;

	if (len > UNLOCK_PASSPHRASE_MAX)
		r = err_set(e, EINVAL, "YORE_PASSWORD is longer than %d bytes",
			UNLOCK_PASSPHRASE_MAX);
	else
		r = secret_give(&s, SLOT_SCRYPT, "YORE_PASSWORD", out, e);
	secret_wipe(value, len);
	unsetenv("YORE_PASSWORD");
	return r;
}

/* -- The terminal -------------------------------------------------------- */

static volatile sig_atomic_t prompt_signal;

static void
on_prompt_signal(int signal)
{
	prompt_signal = signal;
}

static const int prompt_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGTSTP };

/* Read one line without echo; -EINTR after putting the terminal back and
 * sending the signal on to whoever handled it before. */
static int
read_line(int tty, struct secret *s, struct err *e)
{
	s->len = 0;
	for (;;) {
		char c;
		ssize_t n = prompt_signal ? -1 : read(tty, &c, 1);

		if (prompt_signal)
			return err_set(e, EINTR, "interrupted");
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "cannot read the terminal");
		if (n == 0 || c == '\n')
			return 0;
		if (s->len >= UNLOCK_PASSPHRASE_MAX)
			return err_set(e, EINVAL,
				"the passphrase is longer"
				" than %d bytes",
				UNLOCK_PASSPHRASE_MAX);
		s->bytes[s->len++] = c;
	}
}

/* Ask once: terminal silent, signals held until it speaks again. */
static int
ask(int tty, const char *question, const char *what, struct secret *s,
	struct err *e)
{
	struct sigaction act = { .sa_handler = on_prompt_signal };
	struct sigaction old[n_elements(prompt_signals)];
	struct termios was, silent;
	int r;

	if (tcgetattr(tty, &was) < 0)
		return err_sys(e, errno, "cannot ask on the terminal");
	prompt_signal = 0;
	for (size_t i = 0; i < n_elements(prompt_signals); i++)
		sigaction(prompt_signals[i], &act, &old[i]);
	silent = was;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	tcsetattr(tty, TCSAFLUSH, &silent);
	dprintf(tty, what ? "%s for %s: " : "%s: ", question, what);
	r = read_line(tty, s, e);
	dprintf(tty, "\n");
	tcsetattr(tty, TCSAFLUSH, &was);
	for (size_t i = 0; i < n_elements(prompt_signals); i++)
		sigaction(prompt_signals[i], &old[i], NULL);
	if (prompt_signal)
		raise(prompt_signal);
	return r;
}

static int
from_terminal(const struct unlock *u, bool confirm, struct slot_secret *out,
	struct err *e)
{
	auto_bytes struct secret s = { NULL, 0, 0 }, again = { NULL, 0, 0 };
	auto_close int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char what[256];
	int r;

	if (tty < 0 && u->is_new)
		return err_set(e, ENOKEY,
			"a new passphrase is needed and there is no terminal"
			" to ask on: give --new-password-file,"
			" --new-password-command or --new-key-file");
	if (tty < 0)
		return err_set(e, ENOKEY,
			"a passphrase is needed and there is"
			" no terminal to ask on: give --password-file,"
			" --password-command or --key-file");
	if (u->what)
		err_escape(what, sizeof(what), u->what, strlen(u->what));
	secret_init(&s, UNLOCK_PASSPHRASE_MAX);
	r = ask(tty, u->is_new ? "New passphrase" : "Passphrase",
		u->what ? what : NULL, &s, e);
	if (r < 0)
		return r;
	if (confirm) {
		secret_init(&again, UNLOCK_PASSPHRASE_MAX);
		r = ask(tty, "Once more", NULL, &again, e);
		if (r < 0)
			return r;
		if (again.len != s.len || memcmp(again.bytes, s.bytes, s.len))
			return err_set(
				e, EKEYREJECTED, "the two passphrases differ");
	}
	return secret_give(&s, SLOT_SCRYPT, "the terminal", out, e);
}

/* -- In order ----------------------------------------------------------------
 */

static const char *
credential_path(char *path, size_t size)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (!dir ||
		(size_t)snprintf(path, size, "%s/yore.password", dir) >= size)
		return NULL;
	return access(path, F_OK) == 0 ? path : NULL;
}

static int
from_surroundings(const struct unlock *u, bool confirm, struct slot_secret *out,
	struct err *e)
{
	char path[4096];
	char *value;

	if (u->is_new)
		return from_terminal(u, confirm, out, e);
	if ((value = getenv("YORE_PASSWORD")))
		return from_environment(value, out, e);
	if ((value = getenv("YORE_PASSWORD_FILE")))
		return from_file(value, out, e);
	if ((value = getenv("YORE_PASSWORD_COMMAND")))
		return from_command(value, out, e);
	if (credential_path(path, sizeof(path)))
		return from_file(path, out, e);
	if (u->no_prompt)
		return err_set(e, ENOKEY,
			"a passphrase is needed: give"
			" --password-file, --password-command or --key-file");
	return from_terminal(u, confirm, out, e);
}

int
unlock_secret(const struct unlock *u, bool confirm, struct slot_secret *out,
	struct err *e)
{
	*out = (struct slot_secret){ .type = SLOT_OPEN };
	if (u->no_passphrase)
		return 0;
	if (u->key_file)
		return from_key_file(u->key_file, out, e);
	if (u->password_file)
		return from_file(u->password_file, out, e);
	if (u->password_command)
		return from_command(u->password_command, out, e);
	if (u->password_fd >= 0)
		return from_fd(
			u->password_fd, "the passphrase descriptor", out, e);
	return from_surroundings(u, confirm, out, e);
}

void
unlock_release(struct slot_secret *s)
{
	union {
		const void *bytes;
		void *given;
	} u = { .bytes = s->bytes };

	if (s->bytes)
		secret_free(u.given, s->len);
	*s = (struct slot_secret){ .type = SLOT_OPEN };
}

int
unlock_ask(void *ctx, struct slot_secret *out, struct err *e)
{
	struct unlock_asker *a = ctx;
	int r = a->secret.len
			? 0
			: unlock_secret(a->unlock, false, &a->secret, e);

	*out = a->secret;
	return r;
}
