/* log_journal: lines with fields, to systemd's journal. Nothing is linked for it; the socket is open before a role is confined. */
#include "log_journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

bool log_journal_is(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (stream == NULL || fstat(fd, &st) < 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(own, stream) == 0;
}

int log_journal_connect(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path != NULL ? path : "/run/systemd/journal/socket");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool log_journal_send(int fd, enum log_level level, const char *role, const char *text)
{
	static const int priority[] = { 3, 4, 6, 7 }; /* of syslog: err, warning, info, debug */
	char all[1400];
	int len = snprintf(all, sizeof(all), "SYSLOG_IDENTIFIER=otway\nPRIORITY=%d\n%s%s%sMESSAGE=%s\n",
		priority[level], role[0] != '\0' ? "OTWAY_ROLE=" : "", role, role[0] != '\0' ? "\n" : "", text);

	/* write, not send: a confined role may be left without any call for sockets. */
	return len > 0 && (size_t)len < sizeof(all) && write(fd, all, (size_t)len) == len;
}
