/*
 * supervise_places: what lies around the roles: their users, the directories they write to, and the lock that keeps a second otway from
 * them. Also what `otway config check` asks of these.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otway/base/file.h"
#include "otway/base/text.h"
#include "supervise.h"

int supervise_places_user(const char *name, uid_t *uid, gid_t *gid, struct err *err)
{
	const struct passwd *p;
	uint64_t number;

	if (text_number(bytes_of(name), UINT32_MAX - 1, &number)) { /* it need not be anybody's */
		p = getpwuid((uid_t)number);
		*uid = (uid_t)number;
		*gid = p != NULL ? p->pw_gid : (gid_t)number;
	} else if ((p = getpwnam(name)) != NULL) {
		*uid = p->pw_uid;
		*gid = p->pw_gid;
	} else {
		return err_code(err, EXIT_NOT_FOUND,
			"there is no user '%.60s'; deploy/otway.sysusers makes those that are meant by default", name);
	}
	return *uid != 0 ? 0
			 : err_code(err, EXIT_REFUSED, "user '%.60s' is root: a role runs as a user of its own", name);
}

/* The directory a path lies in. */
static void parent(const char *path, char *out, size_t size)
{
	char *slash;

	snprintf(out, size, "%s", path);
	slash = strrchr(out, '/');
	if (slash != NULL)
		slash[slash == out ? 1 : 0] = '\0';
}

static int make_dir(const char *what, const char *path, uid_t uid, gid_t gid, mode_t mode, struct err *err)
{
	if (file_make_dirs(path, err) < 0)
		return err_in(err, "%s", what);
	if (chmod(path, mode) < 0 || (geteuid() == 0 && chown(path, uid, gid) < 0))
		return err_set(err, "%s: %s: %s", what, path, strerror(errno));
	return 0;
}

/* Is there, or is made (or would be); belongs to that user, and no other may write to it. */
static int own_dir(const char *what, const char *path, const char *user, mode_t mode, bool make, struct err *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	struct stat st;

	if (uid == 0 && supervise_places_user(user, &uid, &gid, err) < 0)
		return err_in(err, "run: users");
	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return err_set(err, "%s: %s: %s", what, path, strerror(errno));
		return make ? make_dir(what, path, uid, gid, mode, err) : 0;
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(err, "%s: %s is no directory", what, path);
	if (st.st_uid != uid || (st.st_mode & 022) != 0)
		return err_code(err, EXIT_REFUSED,
			"%s: %s must belong to user %u, and be written by no other: chown %u %s; chmod go-w %s", what,
			path, (unsigned)uid, (unsigned)uid, path, path);
	return 0;
}

int supervise_places_cases(const struct conf_run *r, bool make, struct err *err)
{
	return own_dir("run: cases", r->cases, r->users.delivery, 0700, make, err);
}

int supervise_places_status(const struct conf_run *r, bool make, struct err *err)
{
	char dir[4096];

	parent(r->status, dir, sizeof(dir));
	return own_dir("run: status", dir, r->users.control, 0755, make, err);
}

static int lock(int *out, const char *what, const char *path, int flags, struct err *err)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0)
		return err_set(err, "%s: %s: %s", what, path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return errno == EWOULDBLOCK
			       ? err_code(err, EXIT_REFUSED, "%s: %s is in use: another otway runs here", what, path)
			       : err_set(err, "%s: %s: %s", what, path, strerror(errno));
	}
	*out = fd;
	return 0;
}

int supervise_places_prepare(struct supervise *s, struct err *err)
{
	const struct conf_run *r = &s->conf.run;
	char file[4112];

	if (supervise_places_cases(r, true, err) < 0 || supervise_places_status(r, true, err) < 0)
		return -1;
	snprintf(file, sizeof(file), "%s.lock", r->status);
	if (lock(&s->locks[0], "run: cases", r->cases, O_RDONLY | O_DIRECTORY, err) < 0)
		return -1;
	return lock(&s->locks[1], "run: status", file, O_RDWR | O_CREAT, err);
}

void supervise_places_release(struct supervise *s)
{
	for (size_t i = 0; i < sizeof(s->locks) / sizeof(s->locks[0]); i++)
		if (s->locks[i] >= 0)
			close(s->locks[i]);
}
