/* player_sockets: see player_sockets.h. */
#include "player_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

void die(const char *what)
{
	fprintf(stderr, "player: %s (%s)\n", what, strerror(errno));
	exit(1);
}

void sockets_host(struct sockets *s, const char *address, const char *netns)
{
	struct host *h = &s->hosts[s->host_count];

	if (s->host_count++ == sizeof(s->hosts) / sizeof(*s->hosts))
		die("too many hosts");
	snprintf(h->address, sizeof(h->address), "%s", address);
	snprintf(h->netns, sizeof(h->netns), "%s", netns);
}

static void parse(struct place *p, const char *text)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&p->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&p->address;
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN] = "";
	size_t bracket = text[0] == '[';

	if (colon == NULL || (size_t)(colon - text) - 2 * bracket >= sizeof(host))
		die("no address");
	memcpy(host, text + bracket, (size_t)(colon - text) - 2 * bracket);
	if (bracket) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)atoi(colon + 1));
		p->len = sizeof(*six);
	} else {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)atoi(colon + 1));
		p->len = sizeof(*four);
	}
	if (inet_pton(p->address.ss_family, host, bracket ? (void *)&six->sin6_addr : (void *)&four->sin_addr) != 1)
		die("no address");
}

size_t sockets_find(struct sockets *s, const char *text)
{
	uint32_t hash = 2166136261U, *slot;
	struct place *p;

	for (const char *c = text; *c != '\0'; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619U;
	slot = &s->first[(hash ^ hash >> 16) & 0xffff];
	for (uint32_t i = *slot; i > 0; i = s->places[i - 1].next)
		if (strcmp(s->places[i - 1].text, text) == 0)
			return i - 1;
	if (s->count == s->room) {
		s->room = s->room > 0 ? 2 * s->room : 256;
		s->places = realloc(s->places, s->room * sizeof(*s->places));
		if (s->places == NULL)
			die("out of memory");
	}
	p = &s->places[s->count++];
	*p = (struct place){ .text = strdup(text), .fd = -1, .next = *slot };
	parse(p, text);
	*slot = (uint32_t)s->count;
	return s->count - 1;
}

static const char *netns_of(const struct sockets *s, const char *text)
{
	size_t len = (size_t)(strrchr(text, ':') - text), bracket = text[0] == '[';

	for (size_t i = 0; i < s->host_count; i++)
		if (strlen(s->hosts[i].address) == len - 2 * bracket &&
			strncmp(s->hosts[i].address, text + bracket, len - 2 * bracket) == 0)
			return s->hosts[i].netns;
	return "-";
}

static void enter(const char *netns)
{
	char path[128];
	int fd;

	if (strcmp(netns, "-") == 0)
		return;
	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die("cannot enter a namespace");
	close(fd);
}

static int open_one(const struct place *p)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = { 1, &nothing };
	int fd = socket(p->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 1 << 20, yes = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) < 0)
		die("socket");
	if (bind(fd, (const struct sockaddr *)&p->address, p->len) < 0) {
		fprintf(stderr, "player: %s\n", p->text);
		die("bind");
	}
	return fd;
}

void sockets_open(struct sockets *s)
{
	struct rlimit files = { s->count + 64, s->count + 64 };
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	const char *there = "-";

	if (home < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0)
		die("cannot have so many sockets");
	for (size_t i = 0; i < s->count; i++) {
		const char *netns = netns_of(s, s->places[i].text);

		if (strcmp(netns, there) != 0) {
			if (setns(home, CLONE_NEWNET) < 0)
				die("cannot go home");
			enter(netns);
			there = netns;
		}
		s->places[i].fd = open_one(&s->places[i]);
	}
	close(home);
}

bool sockets_send(struct sockets *s, size_t src, size_t dst, const uint8_t *octets, size_t len)
{
	const struct place *to = &s->places[dst];

	return sendto(s->places[src].fd, octets, len, 0, (const struct sockaddr *)&to->address, to->len) ==
	       (ssize_t)len;
}

void sockets_close(struct sockets *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->places[i].fd >= 0)
			close(s->places[i].fd);
		free(s->places[i].text);
	}
	free(s->places);
}
