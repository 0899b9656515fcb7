/* cases_seen: a process that replays what the one before it knew sends its signalling again. */
#include "cases_inside.h"

bool seen_hash(const struct record *r, uint8_t out[SEEN_HASH])
{
	uint8_t hash[SHA256_LEN];
	struct buf room = { 0 };
	bool ok = buf_add(&room, &r->at, sizeof(r->at)) && buf_add(&room, r->sip->packet.at, r->sip->packet.len);

	if (ok) {
		sha256_of(buf_bytes(&room), hash);
		memcpy(out, hash, SEEN_HASH);
	}
	buf_clear(&room);
	return ok;
}

bool seen_before(const struct table *seen, const uint8_t hash[SEEN_HASH])
{
	return table_get(seen, (struct bytes){ hash, SEEN_HASH }) != NULL;
}

bool seen_note(struct table *seen, const uint8_t hash[SEEN_HASH])
{
	return table_put(seen, (struct bytes){ hash, SEEN_HASH }, seen);
}

int seen_read(struct cases *c, const char *path, struct table **out, struct err *err)
{
	struct table *seen = table_new();
	struct journal *j = NULL;
	enum journal_type type;
	struct bytes body;
	struct msg_room room = { 0 };
	int got = seen == NULL ? err_set(err, "out of memory") : journal_open(&j, c->stage, path, 0, err);

	while (got >= 0 && (got = journal_next(j, &type, &body, err)) > 0) {
		struct record r;
		struct datagram d;
		uint8_t hash[SEEN_HASH];

		if (type != JOURNAL_RECORD || !msg_get_record(body, &r, &d, &room) || r.sip == NULL)
			continue;
		if (!seen_hash(&r, hash) || !seen_note(seen, hash))
			got = err_set(err, "out of memory");
	}
	msg_room_clear(&room);
	journal_free(j);
	if (got < 0) {
		table_free(seen);
		return -1;
	}
	*out = seen;
	return 0;
}
