/*
 * local_place: where a server of this machine alone listens, and asking one.
 */
#include "otway/local.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "otway/base/file.h"
#include "otway/base/text.h"

#define WAITING 16 /* outside the door */

struct place {
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at;
	socklen_t len;
	const char *path; /* of a unix socket; else NULL */
};

static int unix_place(struct place *p, const char *path, struct err *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (path[0] != '/' || strlen(path) >= sizeof(at.sun_path))
		return err_code(err, EXIT_USAGE,
			"'%.120s': the path of a socket is absolute and has at most %zu octets", path,
			sizeof(at.sun_path) - 1);
	memcpy(at.sun_path, path, strlen(path) + 1);
	p->at.local = at;
	p->len = sizeof(at);
	p->path = path;
	return 0;
}

/* The port of "HOST:PORT"; 0: it is none, or the host is another one. */
static uint16_t port_at(const char *place, const char *host)
{
	size_t len = strlen(host);
	uint64_t port = 0;

	if (strncmp(place, host, len) != 0 || place[len] != ':' ||
		!text_number(bytes_of(place + len + 1), UINT16_MAX, &port))
		return 0;
	return (uint16_t)port;
}

static int place_read(struct place *p, const char *text, struct err *err)
{
	uint16_t v4 = port_at(text, "127.0.0.1"), v6 = port_at(text, "[::1]");

	*p = (struct place){ 0 };
	if (strncmp(text, "unix:", 5) == 0)
		return unix_place(p, text + 5, err);
	if (v4 != 0) {
		p->at.v4 = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_port = htons(v4), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
		};
		p->len = sizeof(p->at.v4);
		return 0;
	}
	if (v6 != 0) {
		p->at.v6 = (struct sockaddr_in6){
			.sin6_family = AF_INET6, .sin6_port = htons(v6), .sin6_addr = IN6ADDR_LOOPBACK_INIT
		};
		p->len = sizeof(p->at.v6);
		return 0;
	}
	return err_code(err, EXIT_USAGE,
		"'%.120s' is no place of this machine alone: write unix:PATH, 127.0.0.1:PORT or [::1]:PORT", text);
}

int local_place_check(const char *place, struct err *err)
{
	struct place p;

	return place_read(&p, place, err);
}

static int make_folder(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash != path ? strndup(path, (size_t)(slash - path)) : strdup("/");
	int rc = 0;

	if (folder == NULL)
		return err_set(err, "out of memory");
	if (mkdir(folder, 0755) == 0)
		chmod(folder, 0755); /* whatever the umask says: who may connect is up to the socket */
	else if (errno != EEXIST)
		rc = err_set(err, "%s: cannot make the folder: %s", folder, strerror(errno));
	free(folder);
	return rc;
}

/* What is left there of a process that is gone goes; anything else stays. */
static int make_way(const struct place *p, struct err *err)
{
	struct stat st;
	int fd, rc = 0;

	if (lstat(p->path, &st) < 0)
		return make_folder(p->path, err);
	if (!S_ISSOCK(st.st_mode))
		return err_code(err, EXIT_REFUSED, "%s: something else than a socket is there", p->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && (connect(fd, &p->at.any, p->len) == 0 || errno == EAGAIN))
		rc = err_code(err, EXIT_REFUSED, "%s: another process listens there", p->path);
	else if (unlink(p->path) < 0)
		rc = err_set(err, "%s: cannot be removed: %s", p->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

/* In a folder that is the owner's, root acts as the owner, who may put anything there meanwhile. True: it does. */
static bool act_as(const struct place *p, const struct local_owner *owner)
{
	const char *slash = strrchr(p->path, '/');
	char *folder = strndup(p->path, slash != p->path ? (size_t)(slash - p->path) : 1);
	struct stat st;
	bool theirs = folder != NULL && stat(folder, &st) == 0 && st.st_uid == owner->user;

	free(folder);
	if (geteuid() != 0 || owner->user == 0 || !theirs)
		return false;
	if (setegid(owner->group) < 0 || seteuid(owner->user) < 0)
		abort();
	return true;
}

static void act_as_before(bool acted)
{
	if (acted && (seteuid(0) < 0 || setegid(getgid()) < 0))
		abort();
}

/* The umask keeps everybody out until it has its owner and mode. */
static int bind_path(int fd, const struct place *p, const struct local_owner *owner)
{
	mode_t before = umask(0177);
	int rc = bind(fd, &p->at.any, p->len), why = errno;

	umask(before);
	errno = why;
	if (rc < 0)
		return -1;
	if (geteuid() == 0 && lchown(p->path, owner->user, owner->group) < 0)
		return -1;
	return chmod(p->path, owner->mode);
}

static int bind_there(
	int *out, const struct place *where, const char *place, const struct local_owner *owner, struct err *err)
{
	struct place p = *where;
	int fd, rc, yes = 1;

	if (p.path != NULL && make_way(&p, err) < 0)
		return -1;
	fd = socket(p.at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && p.path == NULL)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	rc = fd < 0 ? -1 : p.path != NULL ? bind_path(fd, &p, owner) : bind(fd, &p.at.any, p.len);
	if (rc < 0 || listen(fd, WAITING) < 0) {
		err_code(err, errno == EADDRINUSE ? EXIT_REFUSED : EXIT_FAILED, "listening at %s: %s", place,
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*out = fd;
	return 0;
}

int local_bind(int *out, const char *place, const struct local_owner *owner, struct err *err)
{
	struct place p;
	bool acts;
	int rc;

	if (place_read(&p, place, err) < 0)
		return -1;
	acts = p.path != NULL && act_as(&p, owner);
	rc = bind_there(out, &p, place, owner, err);
	act_as_before(acts);
	return rc;
}

static int ask_connect(int *out, const char *path, struct err *err)
{
	struct place p = { 0 };
	int fd;

	if (unix_place(&p, path, err) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, &p.at.any, p.len) == 0) {
		*out = fd;
		return 0;
	}
	err_code(err, errno == EACCES || errno == EPERM ? EXIT_REFUSED : EXIT_UNREACHABLE, "%s: %s", path,
		errno == ENOENT || errno == ECONNREFUSED ? "nobody listens there" : strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

int local_ask(const char *path, size_t max, nsec_t span, struct buf *out, struct err *err)
{
	nsec_t until = loop_now() + span;
	struct pollfd p = { .events = POLLIN };
	ssize_t n = 1;

	if (ask_connect(&p.fd, path, err) < 0)
		return -1;
	while (n > 0 && out->len <= max) {
		nsec_t left = until - loop_now();
		uint8_t *to = buf_room(out, 65536);

		n = to != NULL && left > 0 && poll(&p, 1, (int)(left / 1000000) + 1) == 1 ? read(p.fd, to, 65536) : -1;
		out->len += n > 0 ? (size_t)n : 0;
	}
	close(p.fd);
	if (n < 0 || out->len > max)
		return err_code(err, EXIT_UNREACHABLE, "%s: no whole answer came", path);
	return out->len > 0 ? 0 : err_code(err, EXIT_REFUSED, "%s: it answers root and its own user alone", path);
}
