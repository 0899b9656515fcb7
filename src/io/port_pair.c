/* port_pair: the two ends, and how much the kernel keeps between them. */
#include "otway/port.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* The longest message, its header, and what the kernel needs beside a datagram. */
#define ROOM_LEAST (PORT_MESSAGE_MAX + ((size_t)8 << 10))

/* Every datagram of ours must fit, or it could never go out. */
static int make_room(int fd, size_t octets, struct err *err)
{
	int wanted = (int)(octets / 2), has = 0; /* the kernel doubles it, for its own headers */
	socklen_t len = sizeof(has);

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof(wanted)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &has, &len) < 0)
		return err_set(err, "a socket between two roles: %s", strerror(errno));
	if ((size_t)has < ROOM_LEAST)
		return err_set(err,
			"a socket between two roles holds %d octets, which is less than a message may have; "
			"net.core.wmem_max must be %zu at least",
			has, (ROOM_LEAST) / 2);
	return 0;
}

int port_pair(int fds[2], size_t octets, struct err *err)
{
	if (octets < ROOM_LEAST)
		octets = ROOM_LEAST;
	if (octets > INT32_MAX)
		octets = INT32_MAX;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_set(err, "making a socket between two roles: %s", strerror(errno));
	if (make_room(fds[0], octets, err) == 0 && make_room(fds[1], octets, err) == 0)
		return 0;
	close(fds[0]);
	close(fds[1]);
	fds[0] = fds[1] = -1;
	return -1;
}
