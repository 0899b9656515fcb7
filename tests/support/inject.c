/*
 * inject: makes a process that runs make system calls, and says what came of them: what it is denied is so tried from within.
 *
 *   inject PID 'openat -100 s:/etc/passwd 0 0' 'close $1'
 *
 * Numbers; s:TEXT, b:HEX and z:COUNT are put on its stack, and their address is passed; $N is the result of the N-th call. One line for
 * each call: its result, less than 0 an errno; or "signal N", which ended the process. Then it goes on as if nothing had been.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <seccomp.h>

enum { CALLS = 64, ARGUMENTS = 6, RED_ZONE = 128, OCTETS = 4096 };

struct target {
	pid_t pid;
	struct user_regs_struct before;
	unsigned long long instruction; /* of a system call */
	int pending;                    /* a signal that came meanwhile */
	long long results[CALLS];
	size_t count;
};

static _Noreturn void stop(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool copy(const struct target *t, unsigned long long at, void *octets, size_t len, bool to)
{
	struct iovec here = { octets, len }, there = { (void *)(uintptr_t)at, len };
	ssize_t n = to ? process_vm_writev(t->pid, &here, 1, &there, 1, 0)
		       : process_vm_readv(t->pid, &here, 1, &there, 1, 0);

	return n == (ssize_t)len;
}

static bool is_call(const struct target *t, unsigned long long at)
{
	uint8_t octets[2];

	return copy(t, at, octets, sizeof(octets), false) && octets[0] == 0x0f && octets[1] == 0x05;
}

/* It most often waits in a call; else one is in some program text of it. */
static unsigned long long find_call(const struct target *t)
{
	unsigned long long from, to, found = 0;
	char path[64], line[512], rights[5];
	FILE *f;

	if (is_call(t, t->before.rip - 2))
		return t->before.rip - 2;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)t->pid);
	f = fopen(path, "re");
	while (f != NULL && found == 0 && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%llx-%llx %4s", &from, &to, rights) != 3 || rights[2] != 'x')
			continue;
		for (; found == 0 && from + 1 < to; from++)
			if (is_call(t, from))
				found = from;
	}
	if (f != NULL)
		fclose(f);
	return found;
}

static void attach(struct target *t)
{
	const long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	int status;

	if (ptrace(PTRACE_SEIZE, t->pid, NULL, (void *)options) < 0)
		stop("attaching");
	if (ptrace(PTRACE_INTERRUPT, t->pid, NULL, NULL) < 0 || waitpid(t->pid, &status, __WALL) < 0 ||
		!WIFSTOPPED(status))
		stop("stopping it");
	if (ptrace(PTRACE_GETREGS, t->pid, NULL, &t->before) < 0)
		stop("its registers");
	t->instruction = find_call(t);
	if (t->instruction == 0)
		stop("no system call in its text");
}

/* A child of it would go on in the middle of nowhere. */
static void end_child(const struct target *t)
{
	unsigned long child = 0;
	int status;

	ptrace(PTRACE_GETEVENTMSG, t->pid, NULL, &child);
	kill((pid_t)child, SIGKILL);
	while (waitpid((pid_t)child, &status, __WALL) > 0 && !WIFSIGNALED(status) && !WIFEXITED(status))
		ptrace(PTRACE_CONT, (pid_t)child, NULL, NULL);
}

/* One instruction: false, and its end, when there was no coming back. */
static bool step(struct target *t, int *end)
{
	int status;

	for (;;) {
		if (ptrace(PTRACE_SINGLESTEP, t->pid, NULL, NULL) < 0 || waitpid(t->pid, &status, __WALL) < 0)
			stop("a step of it");
		if (!WIFSTOPPED(status)) {
			*end = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
			return false;
		}
		if (status >> 16 == PTRACE_EVENT_FORK || status >> 16 == PTRACE_EVENT_VFORK ||
			status >> 16 == PTRACE_EVENT_CLONE)
			end_child(t);
		else if (WSTOPSIG(status) == SIGTRAP)
			return true;
		else
			t->pending = WSTOPSIG(status);
	}
}

static size_t octets_of(const char *word, uint8_t out[OCTETS])
{
	size_t len = strlen(word + 2);
	unsigned octet;

	memset(out, 0, OCTETS);
	if (word[0] == 's') {
		len = len < OCTETS ? len : OCTETS - 1;
		memcpy(out, word + 2, len);
		return len + 1;
	}
	if (word[0] == 'z')
		return strtoul(word + 2, NULL, 0) % OCTETS;
	for (size_t i = 0; i < len / 2 && i < OCTETS && sscanf(word + 2 + 2 * i, "%2x", &octet) == 1; i++)
		out[i] = (uint8_t)octet;
	return len / 2;
}

static unsigned long long argument(const struct target *t, const char *word, unsigned long long *stack)
{
	uint8_t octets[OCTETS];
	size_t len, number;

	if (word[0] == '$') {
		number = strtoul(word + 1, NULL, 10);
		return number > 0 && number <= t->count ? (unsigned long long)t->results[number - 1] : 0;
	}
	if (word[0] == '\0' || word[1] != ':' || strchr("sbz", word[0]) == NULL)
		return word[0] == '-' ? (unsigned long long)strtoll(word, NULL, 0) : strtoull(word, NULL, 0);
	len = octets_of(word, octets);
	*stack = (*stack - len) & ~15ULL;
	if (len > 0 && !copy(t, *stack, octets, len, true))
		stop("its stack");
	return *stack;
}

static void prepare(const struct target *t, char *line, struct user_regs_struct *r)
{
	unsigned long long arguments[ARGUMENTS] = { 0 }, stack = t->before.rsp - RED_ZONE;
	char *rest = NULL, *word = strtok_r(line, " ", &rest);
	int number = word == NULL                    ? -1
		     : isdigit((unsigned char)*word) ? atoi(word)
						     : seccomp_syscall_resolve_name(word);

	if (number < 0) {
		errno = EINVAL;
		stop(word != NULL ? word : "no call");
	}
	for (size_t i = 0; i < ARGUMENTS && (word = strtok_r(NULL, " ", &rest)) != NULL; i++)
		arguments[i] = argument(t, word, &stack);
	*r = t->before;
	r->rip = t->instruction;
	r->rsp = stack & ~15ULL;
	r->rax = (unsigned long long)number;
	r->orig_rax = ~0ULL; /* nothing is to be begun again */
	r->rdi = arguments[0];
	r->rsi = arguments[1];
	r->rdx = arguments[2];
	r->r10 = arguments[3];
	r->r8 = arguments[4];
	r->r9 = arguments[5];
}

static bool make(struct target *t, char *line)
{
	struct user_regs_struct r;
	int end = 0;

	prepare(t, line, &r);
	if (ptrace(PTRACE_SETREGS, t->pid, NULL, &r) < 0)
		stop("its registers");
	if (!step(t, &end)) {
		printf("signal %d\n", end);
		return false;
	}
	if (ptrace(PTRACE_GETREGS, t->pid, NULL, &r) < 0)
		stop("its registers");
	t->results[t->count++] = (long long)r.rax;
	printf("%lld\n", (long long)r.rax);
	return true;
}

int main(int argc, char **argv)
{
	struct target t = { .pid = argc > 1 ? atoi(argv[1]) : 0 };

	if (argc < 3 || argc - 2 > CALLS || t.pid <= 0) {
		fprintf(stderr, "inject PID CALL...\n");
		return 2;
	}
	attach(&t);
	for (int i = 2; i < argc; i++)
		if (!make(&t, argv[i]))
			return 0;
	if (ptrace(PTRACE_SETREGS, t.pid, NULL, &t.before) < 0 ||
		ptrace(PTRACE_DETACH, t.pid, NULL, (void *)(intptr_t)t.pending) < 0)
		stop("letting go");
	return 0;
}
