/* start: MSG_START as octets: numbers in network order, texts behind their lengths. Seal and paths are in it, and nothing foreign. */
#include "start.h"

#include <stdlib.h>

#include "otway/base/secret.h"

/* A row of octets that is being read. */
struct reader {
	struct bytes left;
	bool short_of; /* there was less than asked for */
};

static struct bytes take(struct reader *r, size_t len)
{
	struct bytes part = { NULL, 0 };

	if (r->left.len < len) {
		r->short_of = true;
		return part;
	}
	part = bytes_part(r->left, 0, len);
	r->left = bytes_part(r->left, len, SIZE_MAX);
	return part;
}

static uint32_t take_32(struct reader *r)
{
	struct bytes part = take(r, 4);

	return part.at != NULL ? be32(part.at) : 0;
}

static nsec_t take_time(struct reader *r)
{
	struct bytes part = take(r, 8);

	return part.at != NULL ? (nsec_t)be64(part.at) : NSEC_NONE;
}

/* NULL where there is none. */
static char *take_text(struct reader *r)
{
	uint32_t len = take_32(r);
	struct bytes part = take(r, len);

	return part.len > 0 ? strndup((const char *)part.at, part.len) : NULL;
}

static bool put_32(struct buf *out, uint32_t v)
{
	uint8_t at[4];

	put_be32(at, v);
	return buf_add(out, at, sizeof(at));
}

static bool put_text(struct buf *out, const char *text)
{
	struct bytes b = bytes_of(text);

	return put_32(out, (uint32_t)b.len) && buf_add(out, b.at, b.len);
}

bool start_put(struct buf *out, const struct role_start *s, struct bytes conf)
{
	put_32(out, s->role);
	put_32(out, s->index);
	put_32(out, s->intercepts);
	put_32(out, s->again);
	put_32(out, (uint32_t)((uint64_t)s->down >> 32));
	put_32(out, (uint32_t)s->down);
	put_32(out, s->run);
	buf_add(out, s->seal, sizeof(s->seal));
	put_32(out, (uint32_t)s->peer_count);
	for (size_t i = 0; i < s->peer_count; i++) {
		put_32(out, s->peers[i].role);
		put_32(out, s->peers[i].index);
		put_32(out, (uint32_t)s->peers[i].fd);
	}
	put_text(out, s->try_text);
	put_text(out, s->config);
	put_text(out, s->store);
	buf_add(out, conf.at, conf.len);
	return !out->failed;
}

static void take_peers(struct reader *r, struct role_start *s)
{
	uint32_t count = take_32(r);

	r->short_of |= count > ROLE_PEERS;
	for (uint32_t i = 0; i < count && !r->short_of; i++) {
		struct role_peer *p = &s->peers[i];

		p->role = take_32(r);
		p->index = take_32(r);
		p->fd = (int)take_32(r);
		r->short_of |= p->role >= ROLES || p->index >= ROLE_PEERS || p->fd < 0;
		s->peer_count = i + 1;
	}
}

int start_get(struct bytes in, struct role_start *s, struct err *err)
{
	struct reader r = { in, false };
	struct bytes seal;

	*s = (struct role_start){ .supervise = -1 };
	s->role = take_32(&r);
	s->index = take_32(&r);
	s->intercepts = take_32(&r);
	s->again = take_32(&r) != 0;
	s->down = take_time(&r);
	s->run = take_32(&r);
	seal = take(&r, sizeof(s->seal));
	if (seal.at != NULL)
		memcpy(s->seal, seal.at, sizeof(s->seal));
	take_peers(&r, s);
	s->try_text = take_text(&r);
	s->config = take_text(&r);
	s->store = take_text(&r);
	if (r.short_of || s->role >= ROLES || s->index >= ROLE_PEERS)
		return err_set(err, "what supervise sent first is not whole");
	return start_conf(s, r.left, &s->conf, err);
}

void start_clear(struct role_start *s)
{
	secret_wipe(s->seal, sizeof(s->seal));
	free((void *)s->try_text);
	free(s->config);
	free(s->store);
	conf_clear(&s->conf);
	*s = (struct role_start){ .supervise = -1 };
}

int start_conf(const struct role_start *s, struct bytes text, struct conf *out, struct err *err)
{
	char *store = NULL;

	if (conf_parse(s->config != NULL ? s->config : "", text, out, err) < 0)
		return -1;
	if (!conf_run_defaults(&out->run) || (s->store != NULL && (store = strdup(s->store)) == NULL))
		return err_set(err, "out of memory");
	if (store != NULL) {
		free(out->store);
		out->store = store;
	}
	return 0;
}
