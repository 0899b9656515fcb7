/*
 * role_control_open: what control opens before it is confined: the sockets of status and metrics, and the keeper; and whether the store and
 * they can be what the configuration says.
 */
#include "role_control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otway/base/log.h"
#include "sandbox_parts.h"

#define KEEPER_ROOM ((size_t)1 << 20) /* octets in the kernel */
#define URL_MAX     4200
#define ENDED_MORE  (60 * NSEC_PER_SEC)

nsec_t control_delivery_keeps(const struct conf_run *run)
{
	const char *const spans[] = { run->hold_time, run->rotate_time, run->settle };
	nsec_t sum = ENDED_MORE, one;

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		if (spans[i] != NULL && conf_span(spans[i], &one))
			sum += one;
	return sum;
}

/* Root's own file would be root's to write, and the role is not root; making it another's is for people to decide. */
static int check_owner(const struct conf *conf, const char *url, struct err *err)
{
	const struct sandbox s = { .role = ROLE_CONTROL, .user = conf->run.users.control };
	struct sandbox_user user;
	struct store_place p;
	struct stat st;
	int rc = 0;

	if (geteuid() != 0)
		return 0;
	if (sandbox_user_find(&user, &s, err) < 0 || store_place_of(url, &p, err) < 0)
		return -1;
	if (p.file != NULL && stat(p.file, &st) < 0 && errno == ENOENT)
		rc = err_code(err, EXIT_NOT_FOUND, "%s: no store is there; 'otway agency add' makes one", p.file);
	else if (p.file != NULL && stat(p.file, &st) == 0 && st.st_uid != user.uid)
		rc = err_code(err, EXIT_REFUSED,
			"%s: belongs to user %u, but is used as user '%s'; if it is the right one, run: chown %s '%s' "
			"'%s'",
			p.file, (unsigned)st.st_uid, s.user, s.user, p.folder, p.file);
	store_place_clear(&p);
	return rc;
}

static int store_url(const struct conf *conf, char *out, size_t size, struct err *err)
{
	if (conf->store == NULL)
		return store_default_url(out, size, err);
	return snprintf(out, size, "%s", conf->store) < (int)size ? 0 : err_set(err, "the store's name is too long");
}

int role_control_check(const struct conf *conf, struct err *err)
{
	char url[URL_MAX];

	if (conf->run.metrics != NULL && local_place_check(conf->run.metrics, err) < 0)
		return err_in(err, "run.metrics");
	if (store_url(conf, url, sizeof(url), err) < 0 || check_owner(conf, url, err) < 0)
		return err_in(err, "the store");
	return 0;
}

void control_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void control_opened_clear(struct control_opened *o)
{
	int *const all[] = { &o->port[0], &o->port[1], &o->life[0], &o->life[1], &o->memory, &o->status, &o->metrics };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		control_close(all[i]);
}

/*
 * Beside the status socket, for as long as the machine is up: without it a control that is started anew takes the store as it finds it. The
 * folder may be the role's own, so root does not follow what lies there, nor cut it off.
 */
static int open_memory(const char *status, const struct sandbox_user *user)
{
	char path[URL_MAX];
	struct stat st;
	int fd;

	if (snprintf(path, sizeof(path), "%s.store", status) >= (int)sizeof(path))
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
			       (st.st_uid != user->uid && st.st_uid != geteuid())))
		control_close(&fd);
	if (fd < 0)
		log_warning(
			"config: %s: cannot be used; a control that is started anew will not know which store it had",
			path);
	return fd;
}

static int open_servers(struct control_opened *o, const struct conf_run *run, struct err *err)
{
	const struct sandbox s = { .role = ROLE_CONTROL, .user = geteuid() == 0 ? run->users.control : NULL };
	struct sandbox_user user;
	char place[4200];

	if (sandbox_user_find(&user, &s, err) < 0)
		return -1;
	snprintf(place, sizeof(place), "unix:%s", run->status);
	if (local_bind(&o->status, place, &(struct local_owner){ user.uid, user.gid, 0600 }, err) < 0)
		return err_in(err, "run.status");
	if (run->metrics != NULL &&
		local_bind(&o->metrics, run->metrics, &(struct local_owner){ user.uid, user.gid, 0660 }, err) < 0)
		return err_in(err, "run.metrics");
	o->memory = open_memory(run->status, &user);
	return 0;
}

static int start_keeper(struct control_opened *o, const struct role_start *start, const char *url, struct err *err)
{
	const struct conf_run *run = &start->conf.run;
	struct keeper_options k = { .url = url, .run = start->run, .again = start->again, .start = start };
	pid_t child;

	if (!conf_span(run->lease, &k.lease))
		return err_code(err, EXIT_USAGE, "run.lease: '%s' is no span of time", run->lease);
	k.keep = control_delivery_keeps(run);
	if (port_pair(o->port, KEEPER_ROOM, err) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, o->life) < 0)
		return err_set(err, "making a socket: %s", strerror(errno));
	child = fork();
	if (child < 0)
		return err_set(err, "starting the keeper of the store: %s", strerror(errno));
	if (child == 0) {
		k.port = o->port[1];
		k.life = o->life[1];
		k.memory = o->memory;
		control_close(&o->port[0]);
		control_close(&o->life[0]);
		control_close(&o->status);
		control_close(&o->metrics);
		keeper_run(&k);
	}
	control_close(&o->port[1]);
	control_close(&o->life[1]);
	control_close(&o->memory);
	return 0;
}

int control_open(struct control_opened *o, const struct role_start *start, struct err *err)
{
	char url[URL_MAX];

	*o = (struct control_opened){ { -1, -1 }, { -1, -1 }, -1, -1, -1 };
	if (role_control_check(&start->conf, err) < 0 || store_url(&start->conf, url, sizeof(url), err) < 0 ||
		open_servers(o, &start->conf.run, err) < 0)
		return -1;
	return start_keeper(o, start, url, err);
}
