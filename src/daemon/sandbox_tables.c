/*
 * sandbox_tables: which role may make which system call. A call is listed for what it is needed; what is new in the kernel, or in libc, is
 * denied until somebody puts it here.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "sandbox_calls.h"

#define CALLS(...)                                                                                                     \
	(const int[])                                                                                                  \
	{                                                                                                              \
		__VA_ARGS__, CALLS_END                                                                                 \
	}
#define C(name) SCMP_SYS(name)

const struct call_group sandbox_groups[] = {
	/* memory, locks, the end */
	{ EVERYBODY, CALLS(C(brk), C(munmap), C(mremap), C(madvise), C(futex), C(membarrier), C(sched_yield), C(exit),
			     C(exit_group), C(restart_syscall), C(rseq), C(getrandom)) },
	/* signals that come */
	{ EVERYBODY, CALLS(C(rt_sigaction), C(rt_sigprocmask), C(rt_sigreturn), C(sigaltstack), C(rt_sigtimedwait)) },
	/* time */
	{ EVERYBODY, CALLS(C(clock_gettime), C(clock_getres), C(clock_nanosleep), C(nanosleep), C(gettimeofday),
			     C(time), C(times)) },
	/* who am I */
	{ EVERYBODY, CALLS(C(getpid), C(getppid), C(gettid), C(getuid), C(geteuid), C(getgid), C(getegid), C(getresuid),
			     C(getresgid), C(getgroups), C(capget), C(uname), C(sysinfo), C(getrusage),
			     C(sched_getaffinity), C(getcpu), C(getpgrp)) },
	/* waiting */
	{ EVERYBODY, CALLS(C(epoll_wait), C(epoll_pwait), C(epoll_pwait2), C(epoll_ctl), C(poll), C(ppoll), C(select),
			     C(pselect6), C(timerfd_settime), C(timerfd_gettime)) },
	/* ports, and other descriptors that are open already; on the kernel's ring: see sandbox_sending */
	{ EVERYBODY, CALLS(C(read), C(readv), C(write), C(writev), C(recvmsg), C(recvfrom), C(recvmmsg), C(sendmsg),
			     C(shutdown), C(close), C(getsockname), C(getpeername), C(getsockopt), C(fstat), C(lseek),
			     C(pread64)) },

	/* files: Landlock says which */
	{ WITH_FILES,
		CALLS(C(open), C(openat), C(access), C(faccessat), C(faccessat2), C(stat), C(lstat), C(newfstatat),
			C(statx), C(readlink), C(readlinkat), C(getdents), C(getdents64), C(getcwd), C(statfs),
			C(fstatfs), C(pread64), C(preadv), C(fcntl), C(flock), C(fadvise64), C(readahead), C(dup)) },
	{ WITH_WRITING, CALLS(C(pwrite64), C(pwritev), C(ftruncate), C(fallocate), C(fsync), C(fdatasync),
				C(sync_file_range), C(syncfs), C(unlink), C(unlinkat), C(rename), C(renameat),
				C(renameat2), C(mkdir), C(mkdirat), C(rmdir), C(fchmod), C(chmod), C(fchmodat),
				C(umask), C(utimensat), C(copy_file_range), C(sendfile), C(link), C(linkat)) },
	/* a change of the store: its journal comes and goes */
	{ KEEPER | SUPERVISE, CALLS(C(inotify_init1), C(inotify_add_watch), C(inotify_rm_watch)) },

	/* databases and KMSs; which families: see sandbox_rules */
	{ WITH_NETWORK, CALLS(C(connect), C(setsockopt), C(sendmmsg), C(epoll_create1), C(eventfd2), C(pipe2)) },
	/* whoever asks for status or metrics, on a socket that listens already */
	{ CONTROL | SUPERVISE, CALLS(C(accept), C(accept4)) },

	/* a program that is started: otway-decode by delivery, roles by supervise; and what its loader and its own sandbox do */
	{ WITH_PROGRAMS,
		CALLS(C(execve), C(vfork), C(fork), C(wait4), C(waitid), C(kill), C(dup2), C(dup3), C(close_range),
			C(arch_prctl), C(set_tid_address), C(set_robust_list), C(seccomp), C(setrlimit)) },

	/* roles, before they enter a sandbox of their own */
	{ SUPERVISE,
		CALLS(C(execveat), C(socket), C(bind), C(listen), C(ioctl), C(prlimit64), C(prctl), C(tgkill), C(tkill),
			C(pipe), C(epoll_create), C(timerfd_create), C(signalfd4), C(eventfd), C(memfd_create),
			C(socketpair), C(setuid), C(setgid), C(setresuid), C(setresgid), C(setgroups), C(capset),
			C(mlock), C(mlock2), C(mlockall), C(munlock), C(munlockall), C(landlock_create_ruleset),
			C(landlock_add_rule), C(landlock_restrict_self), C(chown), C(fchown), C(lchown), C(fchownat),
			C(truncate), C(symlink), C(chdir), C(fchdir), C(setsid), C(setpgid), C(getpgid), C(getsid),
			C(pidfd_open), C(pidfd_send_signal), C(rt_sigqueueinfo), C(sched_setaffinity), C(getpriority),
			C(setpriority), C(sched_setscheduler), C(sched_getscheduler), C(sched_getparam), C(personality),
			C(mincore), C(msync), C(get_robust_list), C(rt_sigsuspend), C(rt_sigpending), C(pause),
			C(getitimer), C(setitimer), C(alarm), C(getgroups), C(close), C(splice), C(tee), C(sync)) },
	{ 0, NULL },
};

#define NAMESPACES                                                                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define ANY_INT UINT32_MAX /* what the kernel looks at of an int: the upper half of a register is anybody's */

#define IS(argument, value)                                                                                            \
	{                                                                                                              \
		(argument), SCMP_CMP_MASKED_EQ, ANY_INT, (uint32_t)(value)                                             \
	}
#define HAS_NONE(argument, bits)                                                                                       \
	{                                                                                                              \
		(argument), SCMP_CMP_MASKED_EQ, (bits), 0                                                              \
	}
#define HAS_ALL(argument, bits)                                                                                        \
	{                                                                                                              \
		(argument), SCMP_CMP_MASKED_EQ, (bits), (bits)                                                         \
	}
#define HAS_NOT(argument, of, bit)                                                                                     \
	{                                                                                                              \
		(argument), SCMP_CMP_MASKED_EQ, (of) | (bit), (bit)                                                    \
	}

#define ALLOW   SCMP_ACT_ALLOW
#define NO_SUCH SCMP_ACT_ERRNO(ENOSYS)
#define WITHOUT (CONFINED & ~WITH_PROGRAMS)

const struct call_rule sandbox_rules[] = {
	/* No memory becomes a program; of a file it does, where programs are loaded, but never to be written to as well. */
	{ EVERYBODY, ALLOW, C(mmap), 1, { HAS_NONE(2, PROT_EXEC) } },
	{ EVERYBODY, ALLOW, C(mprotect), 1, { HAS_NONE(2, PROT_EXEC) } },
	{ WITH_PROGRAMS, ALLOW, C(mmap), 2, { HAS_NOT(2, PROT_WRITE, PROT_EXEC), HAS_NONE(3, MAP_ANONYMOUS) } },

	/* A process of its own, in the same namespaces. clone3 hides its flags: libc then takes clone. */
	{ WITH_PROGRAMS, ALLOW, C(clone), 1, { HAS_NONE(0, NAMESPACES) } },
	{ EVERYBODY, SCMP_ACT_KILL_PROCESS, C(clone), 1, { HAS_ALL(0, CLONE_NEWUSER) } },
	{ EVERYBODY, NO_SUCH, C(clone3), 0, { { 0 } } },
	{ WITHOUT, SCMP_ACT_KILL_PROCESS, C(execve), 0, { { 0 } } },
	{ WITHOUT, SCMP_ACT_KILL_PROCESS, C(execveat), 0, { { 0 } } },

	/* Which sockets. */
	{ KEEPER | KEYS, ALLOW, C(socket), 1, { IS(0, AF_INET) } },
	{ KEEPER | KEYS, ALLOW, C(socket), 1, { IS(0, AF_INET6) } },
	{ KEEPER, ALLOW, C(socket), 1, { IS(0, AF_UNIX) } },
	{ DELIVERY, ALLOW, C(socketpair), 1, { IS(0, AF_UNIX) } },
	/* To somebody whom the caller names: UDP alone needs that. Of sendmsg no filter sees to whom. */
	{ WITH_NETWORK, ALLOW, C(sendto), 0, { { 0 } } },
	{ CONTROL | INTERCEPT | DELIVERY, ALLOW, C(sendto), 1, { { 4, SCMP_CMP_EQ, 0, 0 } } },

	/* Looked at, not changed; the child of delivery takes off what is left to it. */
	{ CONFINED, ALLOW, C(prlimit64), 2, { IS(0, 0), { 2, SCMP_CMP_EQ, 0, 0 } } },
	{ DELIVERY, ALLOW, C(prlimit64), 1, { IS(0, 0) } },
	{ CONFINED, ALLOW, C(prctl), 1, { IS(0, PR_GET_SECCOMP) } },
	{ CONFINED, ALLOW, C(prctl), 1, { IS(0, PR_GET_DUMPABLE) } },
	{ CONFINED, ALLOW, C(prctl), 1, { IS(0, PR_GET_NO_NEW_PRIVS) } },
	{ CONFINED, ALLOW, C(prctl), 1, { IS(0, PR_CAPBSET_READ) } },
	{ CONFINED, ALLOW, C(prctl), 1, { IS(0, PR_SET_NAME) } },
	{ CONFINED, ALLOW, C(landlock_create_ruleset), 1, { IS(2, 1) } }, /* its ABI */
	{ DELIVERY, ALLOW, C(prctl), 1, { IS(0, PR_SET_PDEATHSIG) } },
	{ DELIVERY, ALLOW, C(prctl), 1, { IS(0, PR_SET_NO_NEW_PRIVS) } },
	{ DELIVERY, ALLOW, C(prctl), 2, { IS(0, PR_SET_DUMPABLE), IS(1, 0) } },

	/* What libraries ask of descriptors, and an intercept of its interfaces. */
	{ CONFINED, ALLOW, C(ioctl), 1, { IS(1, FIONREAD) } },
	{ CONFINED, ALLOW, C(ioctl), 1, { IS(1, FIONBIO) } },
	{ CONFINED, ALLOW, C(ioctl), 1, { IS(1, TCGETS) } },
	{ INTERCEPT, ALLOW, C(ioctl), 1, { IS(1, SIOCGIFINDEX) } },
	{ INTERCEPT, ALLOW, C(ioctl), 1, { IS(1, SIOCGIFFLAGS) } },
	{ INTERCEPT, ALLOW, C(ioctl), 1, { IS(1, SIOCGIFNAME) } },
	{ CONTROL | INTERCEPT, ALLOW, C(fcntl), 1, { IS(1, F_GETFL) } },
	{ CONTROL | INTERCEPT, ALLOW, C(fcntl), 1, { IS(1, F_SETFL) } },
	{ 0, 0, 0, 0, { { 0 } } },
};

const int sandbox_fatal[] = {
	/* another process's memory */
	C(ptrace), C(process_vm_readv), C(process_vm_writev), C(process_madvise), C(kcmp), C(pidfd_getfd),
	/* another kernel, or code in it */
	C(kexec_load), C(kexec_file_load), C(bpf), C(init_module), C(finit_module), C(delete_module),
	C(perf_event_open), C(userfaultfd), C(iopl), C(ioperm), C(modify_ldt), C(reboot),
	/* another view of the system */
	C(mount), C(umount2), C(pivot_root), C(chroot), C(unshare), C(setns), C(move_mount), C(open_tree), C(fsopen),
	C(fsconfig), C(fsmount), C(fspick), C(mount_setattr), C(open_by_handle_at), C(swapon), C(swapoff), C(acct),
	C(quotactl),
	/* around this table */
	C(io_uring_setup), C(io_uring_enter), C(io_uring_register), C(io_setup), C(io_submit),
	/* other people's clocks and names */
	C(settimeofday), C(clock_settime), C(adjtimex), C(clock_adjtime), C(sethostname), C(setdomainname), C(syslog),
	CALLS_END
};

const int sandbox_sending[] = { C(sendto), C(sendmsg), C(sendmmsg), C(write), C(writev), C(pwrite64), C(pwritev),
	C(pwritev2), C(sendfile), C(setsockopt), C(connect), C(bind), C(dup), C(dup2), C(dup3), C(fcntl), CALLS_END };

const int sandbox_addressing[] = { C(sendto), C(sendmsg), C(sendmmsg), C(connect), CALLS_END };
