/* sandbox: each role's is entered by a process of its own, which then tries what it may, and what it may not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <seccomp.h>

#include "otway/base/file.h"
#include "otway/store.h"

#include "../../src/daemon/sandbox.h"
#include "../../src/delivery/confine.h"
#include "../../src/delivery/decode.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(SANITIZED)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0 /* they lock no memory */
#endif

#define USER    "64990" /* nobody's, and nobody's group */
#define USER_ID 64990

/* Folders that the user may do anything in, as far as files' modes go, of which the sandbox is told of two; a process of the same user
 * outside; two sockets, one of which stands for the kernel's ring. */
struct scene {
	char dir[40], readable[64], writable[64], elsewhere[64], file[96], decoder[512];
	int ring[2], port[2], loose; /* loose: a local socket that was there before, which sends to whom it likes */
	struct sockaddr_un heard;    /* where somebody listens */
	int hears;
	pid_t neighbour;
};

/* The process of control that has the store, beside the roles. */
enum { KEEPER = ROLES, SUBJECTS };

static const char *name_of(int who)
{
	return who == KEEPER ? "control's keeper" : role_text((enum role)who);
}

static bool is_root(void)
{
	return geteuid() == 0;
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 6;
}

static void make_folder(const struct scene *s, char out[64], const char *name)
{
	snprintf(out, 64, "%s/%s", s->dir, name);
	assert_int_equal(mkdir(out, 0777), 0);
	assert_int_equal(chmod(out, 0777), 0);
}

/* It lies beside this program, where another user may not reach it. */
static void find_decoder(struct scene *s)
{
	char own[400] = "", *slash;

	if (readlink("/proc/self/exe", own, sizeof(own) - 1) < 0 || (slash = strrchr(own, '/')) == NULL)
		return;
	*slash = '\0';
	snprintf(s->decoder, sizeof(s->decoder), "%s/otway-decode", own);
	if (access(s->decoder, X_OK) < 0)
		s->decoder[0] = '\0';
}

static pid_t begin_neighbour(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (is_root() && (setresgid(USER_ID, USER_ID, USER_ID) < 0 || setresuid(USER_ID, USER_ID, USER_ID) < 0))
			_exit(1);
		for (;;)
			pause();
	}
	return pid;
}

static int begin(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	int fd;

	strcpy(s->dir, "/tmp/otway-sandbox-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	assert_int_equal(chmod(s->dir, 0755), 0);
	make_folder(s, s->readable, "readable");
	make_folder(s, s->writable, "writable");
	make_folder(s, s->elsewhere, "elsewhere");
	snprintf(s->file, sizeof(s->file), "%s/file", s->readable);
	fd = open(s->file, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
	assert_true(fd >= 0 && fchmod(fd, 0666) == 0);
	close(fd);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->ring), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->port), 0);
	s->loose = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s->hears = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	s->heard.sun_family = AF_UNIX;
	snprintf(s->heard.sun_path, sizeof(s->heard.sun_path), "%s/socket", s->elsewhere);
	assert_int_equal(bind(s->hears, (struct sockaddr *)&s->heard, sizeof(s->heard)), 0);
	assert_int_equal(chmod(s->heard.sun_path, 0666), 0);
	find_decoder(s);
	s->neighbour = begin_neighbour();
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct scene *s = *state;

	kill(s->neighbour, SIGKILL);
	waitpid(s->neighbour, NULL, 0);
	for (int i = 0; i < 2; i++) {
		close(s->ring[i]);
		close(s->port[i]);
	}
	close(s->loose);
	close(s->hears);
	file_remove_tree(s->dir, NULL);
	free(s);
	return 0;
}

/* As the role of otway does. What it cannot say to the parent any other way it says by its exit code. */
static void enter(const struct scene *s, int who)
{
	enum role role = who == KEEPER ? ROLE_CONTROL : (enum role)who;
	const char *const readable[] = { s->readable, NULL }, *const writable[] = { s->writable, NULL };
	const char *const run[] = { "/bin/true", s->decoder[0] != '\0' ? s->decoder : NULL, NULL };
	const int listen_only[] = { s->ring[0], -1 };
	const struct sandbox box = {
		.role = role,
		.user = is_root() && role != ROLE_SUPERVISE ? USER : NULL,
		.read = who != ROLE_CONTROL ? readable : NULL,
		.write = who == KEEPER || role == ROLE_DELIVERY ? writable : NULL,
		.run = role == ROLE_DELIVERY ? run : NULL,
		.listen_only = role == ROLE_INTERCEPT ? listen_only : NULL,
		.no_landlock = !has_landlock(),
		.lock_memory = role != ROLE_SUPERVISE,
	};
	struct err err = { 0 };

	if (is_root() && setgroups(1, &(gid_t){ USER_ID + 1 }) < 0)
		_exit(96);
	if (sandbox_enter(&box, &err) < 0) {
		if (write(STDERR_FILENO, err.text, strlen(err.text)) < 0)
			_exit(98);
		_exit(99);
	}
}

static long said(long rc)
{
	return rc < 0 ? -errno : rc;
}

static long opens(const char *folder, const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s%s%s", folder, name[0] != '\0' ? "/" : "", name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return said(fd);
}

static long reads_who_has_accounts(const struct scene *s)
{
	(void)s;
	return opens("/etc/passwd", "", O_RDONLY);
}

static long reads_what_it_was_given(const struct scene *s)
{
	return opens(s->readable, "file", O_RDONLY);
}

static long writes_what_it_may_read(const struct scene *s)
{
	return opens(s->readable, "file", O_WRONLY);
}

static long empties_what_it_may_read(const struct scene *s)
{
	return opens(s->readable, "file", O_RDONLY | O_TRUNC);
}

static long makes_a_file(const struct scene *s)
{
	return opens(s->writable, "made", O_RDWR | O_CREAT);
}

static long makes_a_file_elsewhere(const struct scene *s)
{
	return opens(s->elsewhere, "made", O_RDWR | O_CREAT);
}

static long makes_a_link(const struct scene *s)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/link", s->writable);
	return said(symlink("/etc/passwd", path));
}

static long makes_a_pipe_with_a_name(const struct scene *s)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/pipe", s->writable);
	return said(mknod(path, S_IFIFO | 0600, 0));
}

static long looks_at_a_file(const struct scene *s)
{
	struct stat st;

	(void)s;
	return said(stat("/etc/passwd", &st));
}

static long makes_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return said(fd);
}

static long makes_a_socket_of_ipv4(const struct scene *s)
{
	(void)s;
	return makes_socket(AF_INET, SOCK_STREAM);
}

static long makes_a_socket_of_ipv6(const struct scene *s)
{
	(void)s;
	return makes_socket(AF_INET6, SOCK_DGRAM);
}

static long makes_a_local_socket(const struct scene *s)
{
	(void)s;
	return makes_socket(AF_UNIX, SOCK_STREAM);
}

static long makes_a_packet_socket(const struct scene *s)
{
	(void)s;
	return makes_socket(AF_PACKET, SOCK_RAW);
}

static long makes_a_netlink_socket(const struct scene *s)
{
	(void)s;
	return makes_socket(AF_NETLINK, SOCK_RAW);
}

/* The register's upper half is not the family's: the kernel does not look at it, so the filter must not either. */
static long makes_a_packet_socket_by_a_trick(const struct scene *s)
{
	long fd = syscall(SYS_socket, (long)AF_PACKET | 1L << 32, SOCK_RAW, 0);

	(void)s;
	if (fd >= 0)
		close((int)fd);
	return said(fd);
}

static long connects(const struct scene *s)
{
	(void)s;
	return said(connect(-1, NULL, 0));
}

static long binds(const struct scene *s)
{
	(void)s;
	return said(bind(-1, NULL, 0));
}

static long listens(const struct scene *s)
{
	(void)s;
	return said(listen(-1, 1));
}

static long accepts(const struct scene *s)
{
	(void)s;
	return said(accept(-1, NULL, NULL));
}

static long sends_on_its_port(const struct scene *s)
{
	return said(send(s->port[0], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static long sends_on_the_ring(const struct scene *s)
{
	return said(send(s->ring[0], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static long writes_on_the_ring(const struct scene *s)
{
	return said(write(s->ring[0], "x", 1));
}

static long writes_parts_on_the_ring(const struct scene *s)
{
	struct iovec part = { (char[]){ "x" }, 1 };

	return said(writev(s->ring[0], &part, 1));
}

static long sends_a_message_on_the_ring(const struct scene *s)
{
	struct iovec part = { (char[]){ "x" }, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

	return said(sendmsg(s->ring[0], &m, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static long sends_on_the_ring_by_a_trick(const struct scene *s)
{
	return said(syscall(SYS_sendto, (long)s->ring[0] | 1L << 32, "x", 1L, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0L));
}

static long sends_to_whom_it_likes(const struct scene *s)
{
	return said(sendto(s->loose, "x", 1, MSG_DONTWAIT, (const struct sockaddr *)&s->heard, sizeof(s->heard)));
}

static long sends_a_message_to_whom_it_likes(const struct scene *s)
{
	struct iovec part = { (char[]){ "x" }, 1 };
	struct sockaddr_un to = s->heard;
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &part, .msg_iovlen = 1 };

	return said(sendmsg(s->loose, &m, MSG_DONTWAIT));
}

static long doubles_the_ring(const struct scene *s)
{
	return said(dup(s->ring[0]));
}

static long doubles_the_ring_by_fcntl(const struct scene *s)
{
	return said(fcntl(s->ring[0], F_DUPFD_CLOEXEC, 0));
}

static long sets_the_ring(const struct scene *s)
{
	const int on = 1;

	return said(setsockopt(s->ring[0], SOL_SOCKET, SO_RCVLOWAT, &on, sizeof(on)));
}

static long becomes_root(const struct scene *s)
{
	(void)s;
	return said(syscall(SYS_setuid, 0));
}

static long changes_groups(const struct scene *s)
{
	(void)s;
	return said(syscall(SYS_setgroups, 0, NULL));
}

static long asks_for_capabilities(const struct scene *s)
{
	(void)s;
	return said(syscall(SYS_capset, NULL, NULL));
}

static long forks(const struct scene *s)
{
	pid_t pid = fork();

	(void)s;
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return said(pid);
}

/* That it ran. */
static long runs(const char *program)
{
	char *const arguments[] = { (char *)(uintptr_t)program, NULL };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execve(program, arguments, arguments + 1);
		_exit(1);
	}
	if (pid < 0)
		return -errno;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0
							     : -EACCES; /* so does its loader end when it cannot load */
}

static long runs_a_program_of_its_own(const struct scene *s)
{
	(void)s;
	return runs("/bin/true");
}

static long runs_another_program(const struct scene *s)
{
	(void)s;
	return runs("/usr/bin/env"); /* which has nothing to say here */
}

static long signals_a_neighbour(const struct scene *s)
{
	return said(kill(s->neighbour, 0));
}

static long signals_its_parent(const struct scene *s)
{
	(void)s;
	return said(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static long maps_memory_as_program(const struct scene *s)
{
	(void)s;
	return said(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
}

static long turns_memory_into_a_program(const struct scene *s)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)s;
	return said(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static long maps_a_file_as_program(const struct scene *s)
{
	int fd = open(s->file, O_RDONLY | O_CLOEXEC);
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	long rc = at == MAP_FAILED ? -errno : 0;

	close(fd);
	return rc;
}

static long lets_others_look_in(const struct scene *s)
{
	(void)s;
	return said(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static long asks_for_room(const struct scene *s)
{
	void *big = malloc((size_t)64 << 20);
	long rc = big != NULL ? 0 : -ENOMEM;

	(void)s;
	if (big != NULL)
		memset(big, 1, (size_t)64 << 20);
	free(big);
	return rc;
}

enum {
	S = 1 << ROLE_SUPERVISE,
	C = 1 << ROLE_CONTROL,
	I = 1 << ROLE_INTERCEPT,
	K = 1 << ROLE_KEYS,
	D = 1 << ROLE_DELIVERY,
	P = 1 << KEEPER,
	ALL = S | C | P | I | K | D,
	LANDLOCK = 1 << 16 /* it is Landlock that denies it */
};

static const struct attempt {
	const char *name;
	long (*fn)(const struct scene *);
	unsigned may; /* roles that may */
} attempts[] = {
#define TRY(fn, may)                                                                                                   \
	{                                                                                                              \
#fn, fn, may                                                                                           \
	}
	TRY(reads_who_has_accounts, S | LANDLOCK),
	TRY(reads_what_it_was_given, S | P | K | D),
	TRY(writes_what_it_may_read, S | LANDLOCK),
	TRY(empties_what_it_may_read, S | LANDLOCK),
	TRY(makes_a_file, S | P | D | LANDLOCK),
	TRY(makes_a_file_elsewhere, S | LANDLOCK),
	TRY(makes_a_link, S),
	TRY(makes_a_pipe_with_a_name, 0),
	TRY(looks_at_a_file, S | P | K | D),
	TRY(makes_a_socket_of_ipv4, S | P | K),
	TRY(makes_a_socket_of_ipv6, S | P | K),
	TRY(makes_a_local_socket, S | P),
	TRY(makes_a_packet_socket, S),
	TRY(makes_a_packet_socket_by_a_trick, S),
	TRY(makes_a_netlink_socket, S),
	TRY(connects, S | P | K),
	TRY(binds, S),
	TRY(listens, S),
	TRY(accepts, S | C),
	TRY(sends_on_its_port, ALL),
	TRY(sends_on_the_ring, S | C | P | K | D),
	TRY(writes_on_the_ring, S | C | P | K | D),
	TRY(writes_parts_on_the_ring, S | C | P | K | D),
	TRY(sends_a_message_on_the_ring, S | C | P | K | D),
	TRY(sends_on_the_ring_by_a_trick, S | C | P | K | D),
	TRY(sends_to_whom_it_likes, S),
	TRY(sends_a_message_to_whom_it_likes, S),
	TRY(doubles_the_ring, S | P | K | D),
	TRY(doubles_the_ring_by_fcntl, S | P | K | D),
	TRY(sets_the_ring, S | P | K),
	TRY(becomes_root, S),
	TRY(changes_groups, S),
	TRY(asks_for_capabilities, S),
	TRY(forks, S | D),
	TRY(runs_a_program_of_its_own, S | D),
	TRY(runs_another_program, S | LANDLOCK),
	TRY(signals_a_neighbour, S | LANDLOCK),
	TRY(signals_its_parent, S),
	TRY(maps_memory_as_program, 0),
	TRY(turns_memory_into_a_program, 0),
	TRY(maps_a_file_as_program, S | D),
	TRY(lets_others_look_in, S),
	TRY(asks_for_room, ALL),
#undef TRY
};

enum { ATTEMPTS = sizeof(attempts) / sizeof(attempts[0]) };

/* What came of each, in a process of its own that enters the sandbox. */
static void try_all(const struct scene *s, int who, bool below, long results[ATTEMPTS])
{
	int told[2], status = 0;
	pid_t pid;

	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (below)
			enter(s, ROLE_SUPERVISE);
		enter(s, who);
		for (size_t i = 0; i < ATTEMPTS; i++) {
			long rc = attempts[i].fn(s);

			if (write(told[1], &rc, sizeof(rc)) != sizeof(rc))
				_exit(97);
		}
		_exit(0);
	}
	close(told[1]);
	for (size_t i = 0; i < ATTEMPTS; i++)
		if (read(told[0], &results[i], sizeof(results[i])) != sizeof(results[i]))
			fail_msg("%s %s: and never came back", name_of(who), attempts[i].name);
	close(told[0]);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static bool is_denial(long rc)
{
	return rc == -EPERM || rc == -EACCES;
}

static void judge(const struct scene *s, int who, bool below)
{
	long results[ATTEMPTS];

	try_all(s, who, below, results);
	for (size_t i = 0; i < ATTEMPTS; i++) {
		bool may = (attempts[i].may & 1u << who) != 0;

		if ((attempts[i].may & LANDLOCK) != 0 && !has_landlock())
			continue;
		if (is_denial(results[i]) == may)
			fail_msg(
				"%s %s: %s (%ld)", name_of(who), attempts[i].name, may ? "denied" : "done", results[i]);
	}
}

static void control_may_what_its_table_says(void **state)
{
	judge(*state, ROLE_CONTROL, false);
}

static void control_s_keeper_may_what_its_table_says(void **state)
{
	judge(*state, KEEPER, false);
}

static void intercept_may_what_its_table_says(void **state)
{
	judge(*state, ROLE_INTERCEPT, false);
}

static void keys_may_what_its_table_says(void **state)
{
	judge(*state, ROLE_KEYS, false);
}

static void delivery_may_what_its_table_says(void **state)
{
	judge(*state, ROLE_DELIVERY, false);
}

static void supervise_may_what_its_table_says(void **state)
{
	if (!is_root())
		skip(); /* it may what root may */
	judge(*state, ROLE_SUPERVISE, false);
}

/* As they do when they run: what supervise gave up is given up there too. */
static void started_by_supervise_each_may_the_same(void **state)
{
	for (int who = ROLE_SUPERVISE + 1; who < SUBJECTS; who++)
		judge(*state, who, true);
}

/* How a process ends that enters a sandbox and makes one call. */
static int fate_of(const struct scene *s, int who, long call, long first)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		enter(s, who);
		syscall(call, first, 0L, 0L, 0L, 0L, 0L);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static bool is_end(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS && !WCOREDUMP(status);
}

static void what_nothing_honest_does_ends_the_process(void **state)
{
	static const long calls[] = { SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kexec_load, SYS_bpf,
		SYS_init_module, SYS_finit_module, SYS_mount, SYS_umount2, SYS_unshare, SYS_setns, SYS_pivot_root,
		SYS_chroot, SYS_io_uring_setup, SYS_perf_event_open, SYS_userfaultfd, SYS_reboot, SYS_settimeofday };

	for (int who = 0; who < SUBJECTS; who++)
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
			if (!is_end(fate_of(*state, who, calls[i], 0)))
				fail_msg("%s: call %ld", name_of(who), calls[i]);
}

static void a_user_namespace_ends_the_process(void **state)
{
	for (int who = 0; who < SUBJECTS; who++)
		assert_true(is_end(fate_of(*state, who, SYS_clone, CLONE_NEWUSER | SIGCHLD)));
}

static void a_role_that_runs_nothing_ends_when_it_tries(void **state)
{
	static const int roles[] = { ROLE_CONTROL, KEEPER, ROLE_INTERCEPT, ROLE_KEYS };

	for (size_t i = 0; i < 4; i++) {
		assert_true(is_end(fate_of(*state, roles[i], SYS_execve, 0)));
		assert_true(is_end(fate_of(*state, roles[i], SYS_execveat, 0)));
	}
}

/* A process in its sandbox, for others to look at; it goes when the pipe is closed. */
struct confined_one {
	pid_t pid;
	int stay;
	char status[4096], limits[4096];
};

static void read_of(pid_t pid, const char *name, char out[4096])
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, out, 4095);
	assert_true(n > 0);
	out[n] = '\0';
	close(fd);
}

static void start_confined(const struct scene *s, int who, struct confined_one *out)
{
	int stay[2], ready[2];
	char c;

	assert_int_equal(pipe2(stay, O_CLOEXEC), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	out->pid = fork();
	if (out->pid == 0) {
		close(stay[1]);
		enter(s, who);
		_exit(write(ready[1], "x", 1) == 1 && read(stay[0], &c, 1) == 0 ? 0 : 1);
	}
	close(stay[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	out->stay = stay[1];
	read_of(out->pid, "status", out->status);
	if (is_root())
		read_of(out->pid, "limits", out->limits);
}

static void end_confined(struct confined_one *o)
{
	int status = 0;

	close(o->stay);
	waitpid(o->pid, &status, 0);
	assert_int_equal(status, 0);
}

static void holds(const struct confined_one *o, const char *line)
{
	if (strstr(o->status, line) == NULL)
		fail_msg("not so: %s", line + 1);
}

static const int confined_roles[] = { ROLE_CONTROL, KEEPER, ROLE_INTERCEPT, ROLE_KEYS, ROLE_DELIVERY };
enum { CONFINED = sizeof(confined_roles) / sizeof(confined_roles[0]) };

static void the_kernel_says_that_nothing_is_left(void **state)
{
	struct confined_one o;

	if (!is_root())
		skip();
	for (size_t i = 0; i < CONFINED; i++) {
		start_confined(*state, confined_roles[i], &o);
		holds(&o, "\nUid:\t" USER "\t" USER "\t" USER "\t" USER "\n");
		holds(&o, "\nGid:\t" USER "\t" USER "\t" USER "\t" USER "\n");
		holds(&o, "\nGroups:\t \n");
		holds(&o, "\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
			  "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
		assert_true(SANITIZED || strstr(o.status, "\nVmLck:\t       0 kB") == NULL);
		assert_non_null(strstr(o.limits, "\nMax core file size        0                    0 "));
		end_confined(&o);
	}
}

/* What a process of the same user sees of it, who is in no sandbox. 0: nothing. */
static int looked_into(pid_t pid)
{
	char path[64], octets[8];
	struct iovec mine = { octets, sizeof(octets) }, its = { path, sizeof(octets) };

	if (is_root() && (setresgid(USER_ID, USER_ID, USER_ID) < 0 || setresuid(USER_ID, USER_ID, USER_ID) < 0))
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	if (open(path, O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return 2;
	if (process_vm_readv(pid, &mine, 1, &its, 1, 0) >= 0 || errno != EPERM)
		return 3;
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) >= 0 || errno != EPERM)
		return 4;
	return 0;
}

static void another_process_of_the_same_user_cannot_look_in(void **state)
{
	for (size_t i = 0; i < CONFINED; i++) {
		struct confined_one o;
		int status = -1;
		pid_t pid;

		start_confined(*state, confined_roles[i], &o);
		pid = fork();
		if (pid == 0)
			_exit(looked_into(o.pid));
		waitpid(pid, &status, 0);
		end_confined(&o);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void a_role_that_aborts_leaves_no_core(void **state)
{
	for (size_t i = 0; i < CONFINED; i++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0) {
			setrlimit(RLIMIT_CORE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
			enter(*state, confined_roles[i]);
			abort();
		}
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
		assert_false(WCOREDUMP(status));
	}
}

/* Runs fn in a sandbox; it says what went wrong by its result. */
static void expect_done(const struct scene *s, int who, int (*fn)(const struct scene *s))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		enter(s, who);
		_exit(fn(s));
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("status %x", (unsigned)status);
}

static int store_is_used(const struct scene *s)
{
	char url[128];
	struct store *store = NULL;
	struct err err = { 0 };
	bool changed = false, fresh = false;
	struct agency agency = { .name = (char[]){ "north" }, .country = "NO" };

	snprintf(url, sizeof(url), "sqlite:%s/store/otway.db", s->writable);
	if (store_open(&store, url, true, "alice", &err) < 0)
		return 1;
	if (store_changed(store, &changed, &err) < 0 || !changed)
		return 2;
	if (store_fd(store) < 0)
		return 3; /* nothing tells of changes */
	if (store_agency_add(store, &agency, &fresh, &err) < 0)
		return 4;
	store_free(store);
	return 0;
}

static void control_s_keeper_has_the_store_in_its_sandbox(void **state)
{
	expect_done(*state, KEEPER, store_is_used);
}

/* An empty batch is answered by an empty one. Then it stays, to be looked at. */
static int decoder_answers(const struct scene *s)
{
	const struct batch nothing = { .items = 0, .rate = 8000 };
	struct confined c;
	uint64_t len = 1;
	char gone;

	if (!confined_start(&c, "otway-decode"))
		return 1;
	if (!confined_send(&c, (struct bytes){ (const uint8_t *)&nothing, sizeof(nothing) }))
		return 2;
	if (!confined_receive(&c, &len, sizeof(len)) || len != 0)
		return 3;
	if (send(s->port[0], &c.pid, sizeof(c.pid), 0) < 0 || recv(s->port[0], &gone, 1, 0) < 0)
		return 4;
	confined_end(&c);
	return 0;
}

/* By the modes of the folders above it. */
static bool reachable(const char *path)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(is_root() && setresuid(USER_ID, USER_ID, USER_ID) == 0 && access(path, X_OK) < 0);
	waitpid(pid, &status, 0);
	return status == 0;
}

static void delivery_runs_the_decoder_in_its_sandbox(void **state)
{
	const struct scene *s = *state;
	char limits[4096];
	pid_t pid, decoder;
	int status = 0;

	if (s->decoder[0] == '\0' || !reachable(s->decoder))
		skip();
	pid = fork();
	if (pid == 0) {
		close(s->port[1]);
		enter(s, ROLE_DELIVERY);
		_exit(decoder_answers(s));
	}
	close(s->port[0]); /* so that its end is heard */
	if (recv(s->port[1], &decoder, sizeof(decoder), 0) == sizeof(decoder)) {
		read_of(decoder, "limits", limits);
		send(s->port[1], "x", 1, 0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
#ifndef __SANITIZE_ADDRESS__ /* its shadow memory takes terabytes of addresses */
	assert_null(strstr(limits, "\nMax data size             unlimited"));
#endif
}

static void root_is_refused_as_the_user_of_a_role(void **state)
{
	static const char *const users[] = { NULL, "0", "root" };

	(void)state;
	if (!is_root())
		skip();
	for (size_t i = 0; i < 3; i++) {
		const struct sandbox box = { .role = ROLE_KEYS, .user = users[i], .no_landlock = true };
		struct err err = { 0 };

		assert_int_equal(sandbox_enter(&box, &err), -1);
		assert_int_equal(err.code, EXIT_REFUSED);
	}
}

static void a_user_who_is_not_there_is_named(void **state)
{
	const struct sandbox box = { .role = ROLE_KEYS, .user = "otway-nobody-of-that-name", .no_landlock = true };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(sandbox_enter(&box, &err), -1);
	assert_int_equal(err.code, EXIT_NOT_FOUND);
	assert_non_null(strstr(err.text, "'otway-nobody-of-that-name'"));
}

/* A kernel without Landlock, as far as the process can tell. */
static bool without_landlock(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);

	rc = rc == 0 ? seccomp_load(f) : rc;
	seccomp_release(f);
	return rc == 0;
}

static int enter_without_landlock(bool allowed)
{
	const struct sandbox box = { .role = ROLE_KEYS, .user = is_root() ? USER : NULL, .no_landlock = allowed };
	struct err err = { 0 };

	if (!without_landlock())
		return 90;
	return sandbox_enter(&box, &err) == 0 ? 0 : strstr(err.text, "no Landlock") != NULL ? (int)err.code : 91;
}

static void a_kernel_without_landlock_is_refused_unless_that_was_said(void **state)
{
	int status[2] = { 0, 0 };

	(void)state;
	for (int allowed = 0; allowed < 2; allowed++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(enter_without_landlock(allowed != 0));
		waitpid(pid, &status[allowed], 0);
	}
	assert_true(WIFEXITED(status[0]) && WIFEXITED(status[1]));
	assert_int_equal(WEXITSTATUS(status[0]), EXIT_REFUSED);
	assert_int_equal(WEXITSTATUS(status[1]), 0);
}

static int describes(const struct scene *s)
{
	char text[200];

	(void)s;
	sandbox_describe(text, sizeof(text));
	if (strstr(text, "seccomp") == NULL || strstr(text, " no_new_privs undumpable") == NULL)
		return 1;
	return has_landlock() && strstr(text, " landlock:") == NULL ? 2 : 0;
}

static void it_can_say_what_holds(void **state)
{
	char text[200];

	assert_null(strstr(sandbox_describe(text, sizeof(text)), "seccomp"));
	expect_done(*state, ROLE_KEYS, describes);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(control_may_what_its_table_says),
		TEST(control_s_keeper_may_what_its_table_says),
		TEST(intercept_may_what_its_table_says),
		TEST(keys_may_what_its_table_says),
		TEST(delivery_may_what_its_table_says),
		TEST(supervise_may_what_its_table_says),
		TEST(started_by_supervise_each_may_the_same),
		TEST(what_nothing_honest_does_ends_the_process),
		TEST(a_user_namespace_ends_the_process),
		TEST(a_role_that_runs_nothing_ends_when_it_tries),
		TEST(the_kernel_says_that_nothing_is_left),
		TEST(another_process_of_the_same_user_cannot_look_in),
		TEST(a_role_that_aborts_leaves_no_core),
		TEST(control_s_keeper_has_the_store_in_its_sandbox),
		TEST(delivery_runs_the_decoder_in_its_sandbox),
		TEST(root_is_refused_as_the_user_of_a_role),
		TEST(a_user_who_is_not_there_is_named),
		TEST(a_kernel_without_landlock_is_refused_unless_that_was_said),
		TEST(it_can_say_what_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
