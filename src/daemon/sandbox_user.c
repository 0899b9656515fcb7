/* sandbox_user: another user, no groups, no capabilities, no way back. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_parts.h"

#define HAS(capability) (UINT64_C(1) << (capability))

/* What roles are started with: each gives all of it up by itself. */
static const uint64_t of_supervise = HAS(CAP_CHOWN) | HAS(CAP_DAC_OVERRIDE) | HAS(CAP_DAC_READ_SEARCH) |
				     HAS(CAP_FOWNER) | HAS(CAP_KILL) | HAS(CAP_SETGID) | HAS(CAP_SETUID) |
				     HAS(CAP_SETPCAP) | HAS(CAP_NET_BIND_SERVICE) | HAS(CAP_NET_ADMIN) |
				     HAS(CAP_NET_RAW) | HAS(CAP_IPC_LOCK) | HAS(CAP_SYS_RESOURCE) | HAS(CAP_SYS_NICE);

uint64_t sandbox_capabilities_of(enum role role)
{
	return role == ROLE_SUPERVISE ? of_supervise : 0;
}

/* A number need not be anybody's in the table of users: its group is then of the same number. */
static bool by_number(struct sandbox_user *out, const char *user)
{
	char *end = NULL;
	unsigned long number = strtoul(user, &end, 10);
	const struct passwd *p;

	if (user[0] < '0' || user[0] > '9' || *end != '\0' || number > UINT32_MAX - 1)
		return false;
	p = getpwuid((uid_t)number);
	out->uid = (uid_t)number;
	out->gid = p != NULL ? p->pw_gid : (gid_t)number;
	return true;
}

static bool by_name(struct sandbox_user *out, const char *user)
{
	const struct passwd *p = getpwnam(user);

	if (p == NULL)
		return false;
	out->uid = p->pw_uid;
	out->gid = p->pw_gid;
	return true;
}

int sandbox_user_find(struct sandbox_user *out, const struct sandbox *s, struct err *err)
{
	*out = (struct sandbox_user){ geteuid(), getegid(), false };
	if (s->role == ROLE_SUPERVISE)
		return 0;
	if (s->user == NULL) {
		if (geteuid() == 0)
			return err_code(err, EXIT_REFUSED, "it needs a user of its own: root is refused");
		return 0;
	}
	if (!by_number(out, s->user) && !by_name(out, s->user))
		return err_code(err, EXIT_NOT_FOUND, "there is no user '%s'", s->user);
	if (out->uid == 0 || out->gid == 0)
		return err_code(err, EXIT_REFUSED, "user '%s' is root, or in its group", s->user);
	out->change = out->uid != geteuid() || out->uid != getuid() || out->gid != getegid();
	if (out->change && geteuid() != 0)
		return err_code(err, EXIT_REFUSED, "only root can become user '%s'", s->user);
	return 0;
}

static int capabilities_set(uint64_t kept, struct err *err)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return err_set(err, "asking for capabilities: %s", strerror(errno));
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(kept >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return err_set(err, "giving up capabilities: %s", strerror(errno));
	return 0;
}

/* The bounding set binds what a program that is started may get, and this process nothing: it goes first, since that needs a capability. */
static int bound(uint64_t kept, struct err *err)
{
	for (int i = 0; i < 64 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
		if ((kept & HAS(i)) == 0 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 && geteuid() == 0)
			return err_set(err, "giving up capability %d: %s", i, strerror(errno));
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return 0;
}

int sandbox_capabilities_keep(uint64_t kept, struct err *err)
{
	return bound(kept, err) < 0 ? -1 : capabilities_set(kept, err);
}

/* All three of each, and no group beside. */
static bool is(const struct sandbox_user *u)
{
	uid_t uid[3];
	gid_t gid[3];

	if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 || getresgid(&gid[0], &gid[1], &gid[2]) < 0)
		return false;
	for (int i = 0; i < 3; i++)
		if (uid[i] != u->uid || gid[i] != u->gid)
			return false;
	return !u->change || getgroups(0, NULL) == 0;
}

int sandbox_user_become(const struct sandbox_user *u, struct err *err)
{
	int with_parent = 0;

	if (bound(0, err) < 0)
		return -1;
	prctl(PR_GET_PDEATHSIG, &with_parent);
	if (u->change && (setgroups(0, NULL) < 0 || setresgid(u->gid, u->gid, u->gid) < 0 ||
				 setresuid(u->uid, u->uid, u->uid) < 0))
		return err_set(err, "becoming user %u: %s", (unsigned)u->uid, strerror(errno));
	prctl(PR_SET_PDEATHSIG, with_parent); /* the change took it off: who dies with supervise still does */
	if (capabilities_set(0, err) < 0)
		return -1;
	if (!is(u) || setresuid((uid_t)-1, 0, (uid_t)-1) == 0)
		return err_set(err, "user %u: there is a way back to root", (unsigned)u->uid);
	return 0;
}
