/*
 * supervise_pairs: sockets between every two roles that speak to each other, made once. Both ends stay open here for as long as otway
 * runs, so that what was sent to a process that died is there for the next one.
 */
#include <stdlib.h>
#include <unistd.h>

#include "supervise.h"

#define ROOM_RECORDS                                                                                                   \
	((size_t)8 << 20) /* octets in the kernel, each way: what a peer may lie behind before its sender keeps it */
#define ROOM ((size_t)2 << 20)

/* Who speaks to whom. */
static bool speak(enum role a, enum role b)
{
	static const bool known[ROLES][ROLES] = {
		[ROLE_INTERCEPT] = { [ROLE_INTERCEPT] = true, [ROLE_KEYS] = true, [ROLE_DELIVERY] = true },
		[ROLE_CONTROL] = { [ROLE_INTERCEPT] = true, [ROLE_KEYS] = true, [ROLE_DELIVERY] = true },
	};

	return known[a][b] || known[b][a];
}

/* The end that child a has of its pair with b. */
static int *end_of(const struct supervise *s, size_t a, size_t b)
{
	return &s->pairs[a * SUPERVISE_CHILDREN + b];
}

static int make(struct supervise *s, size_t a, size_t b, struct err *err)
{
	enum role x = s->children[a].role, y = s->children[b].role;
	bool records = x == ROLE_DELIVERY || y == ROLE_DELIVERY || x == y;
	int fds[2];

	if (port_pair(fds, records ? ROOM_RECORDS : ROOM, err) < 0)
		return -1;
	*end_of(s, a, b) = fds[0];
	*end_of(s, b, a) = fds[1];
	return 0;
}

int supervise_pairs(struct supervise *s, struct err *err)
{
	s->pairs = calloc(SUPERVISE_CHILDREN * SUPERVISE_CHILDREN, sizeof(*s->pairs));
	if (s->pairs == NULL)
		return err_set(err, "out of memory");
	for (size_t i = 0; i < SUPERVISE_CHILDREN * SUPERVISE_CHILDREN; i++)
		s->pairs[i] = -1;
	for (size_t a = 0; a < s->child_count; a++)
		for (size_t b = a + 1; b < s->child_count; b++)
			if (speak(s->children[a].role, s->children[b].role) && make(s, a, b, err) < 0)
				return -1;
	return 0;
}

void supervise_pairs_close(struct supervise *s)
{
	for (size_t i = 0; s->pairs != NULL && i < SUPERVISE_CHILDREN * SUPERVISE_CHILDREN; i++)
		if (s->pairs[i] >= 0)
			close(s->pairs[i]);
	free(s->pairs);
	s->pairs = NULL;
}

size_t supervise_peers(const struct supervise *s, const struct child *c, struct role_peer *out)
{
	size_t own = (size_t)(c - s->children), count = 0;

	for (size_t other = 0; other < s->child_count && count < ROLE_PEERS; other++) {
		int fd = *end_of(s, own, other);

		if (fd >= 0)
			out[count++] = (struct role_peer){ s->children[other].role, s->children[other].index, fd };
	}
	return count;
}
