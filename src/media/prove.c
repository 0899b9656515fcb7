/*
 * prove: which key opens a packet, and at which roll-over counter. The authentication tag decides; signalling only says
 * where to begin. Effort is bounded: likely indexes for every key, the whole range of counters for a few packets.
 */
#include <stdlib.h>

#include "state.h"

#define WRAP       INT64_C(65536)
#define INDEX_MAX  (INT64_C(1) << 48) /* RFC 3711 3.3.1 */
#define SHORT_TAG  4                  /* octets of a tag that a search confirms by a second packet */
#define CONFIRMERS 3                  /* packets asked for that */
#define SEARCHED   8                  /* keys that a search goes through */
#define SAMPLE     64                 /* packets that a key without a tag is judged by */

static bool open_with(struct stream *s, struct parcel *p, struct ring_key *key, struct unseal *with, int64_t shift)
{
	int64_t index = p->place + shift;
	struct unseal_packet u = {
		.with = with,
		.rtcp = s->rtcp,
		.index = (uint64_t)index,
		.in = parcel_payload(p),
		.out = parcel_clear_room(p),
	};

	if (!s->rtcp && (index < 0 || index >= INDEX_MAX))
		return false;
	unseal_batch(&u, 1);
	if (u.fate != UNSEAL_OPENED)
		return false;
	p->clear_len = u.out_len;
	p->key = key;
	return true;
}

/* Notes that the stream's entry `i` opened a packet: it goes to the front, and the stream's place moves on. */
static void opened(struct stream *s, const struct parcel *p, uint8_t i)
{
	struct opened_by by = s->opened[i];

	memmove(&s->opened[1], &s->opened[0], i * sizeof(by));
	s->opened[0] = by;
	if (p->place > s->highest)
		s->highest = p->place;
	if (!s->rtcp && !unseal_proves(&by.key->given.key))
		return;
	if (!s->authenticated)
		s->authenticated_first = p->own;
	s->authenticated = true;
	s->authenticated_last = p->own;
	s->call->proven = p->own;
}

/* Another key than those before, by what it is and not by where it stood. */
static bool new_to(const struct stream *s, const struct srtp_key *key)
{
	for (uint8_t i = 0; i < s->opened_count; i++)
		if (srtp_key_same(&s->opened[i].key->given.key, key))
			return false;
	return true;
}

static void adopt(struct stream *s, struct parcel *p, struct ring_key *key, struct unseal *with, int64_t shift)
{
	if (s->keys_used == 0)
		s->base = s->rtcp ? 0 : shift;
	s->based = true;
	s->keys_used += new_to(s, &key->given.key);
	key->opened = true;
	if (key->probe == with)
		key->probe = NULL;
	if (s->opened_count == OPENED_MAX)
		unseal_free(s->opened[--s->opened_count].with);
	s->opened[s->opened_count] = (struct opened_by){ key, with, shift };
	opened(s, p, s->opened_count++);
}

bool prove_known(struct stream *s, struct parcel *p)
{
	if (s->prints != NULL)
		stream_prints(s);
	for (uint8_t i = 0; i < s->opened_count; i++) {
		struct opened_by *by = &s->opened[i];

		if (open_with(s, p, by->key, by->with, by->shift)) {
			opened(s, p, i);
			return true;
		}
	}
	return false;
}

/* A key at one index. At roll-over counter 0 the key's probe will do, which is made once for all streams. */
static bool try_at(struct stream *s, struct parcel *p, struct ring_key *key, int64_t shift)
{
	int64_t index = p->place + shift;
	struct unseal *with;

	if (!s->rtcp && index < 0)
		return false;
	if (s->rtcp || index < WRAP) {
		if (key->probe == NULL)
			key->probe = unseal_new(&key->given.key);
		if (key->probe == NULL || !open_with(s, p, key, key->probe, shift))
			return false;
		adopt(s, p, key, key->probe, shift);
		return true;
	}
	with = unseal_new_for(&key->given.key, s->ssrc);
	if (with != NULL && open_with(s, p, key, with, shift)) {
		adopt(s, p, key, with, shift);
		return true;
	}
	unseal_free(with);
	return false;
}

/* What makes a place's index the bare sequence number. */
static int64_t shift_to_zero(const struct parcel *p)
{
	return -(p->place & ~(WRAP - 1));
}

static bool at_hand(const struct stream *s, const struct ring_key *key)
{
	for (uint8_t i = 0; i < s->opened_count; i++)
		if (s->opened[i].key == key)
			return true;
	return false;
}

bool prove_all(struct stream *s, struct parcel *p)
{
	struct ring_key *keys[KEYRING_MAX];
	uint32_t lines[SPOT_LINES];
	struct key_sought wanted = stream_wants(s, lines);
	size_t count = keyring_order(&s->call->ring, &wanted, keys);
	int64_t zero = s->rtcp ? 0 : shift_to_zero(p);
	int64_t onward = s->opened_count > 0 ? s->opened[0].shift : 0; /* a stream is taken to begin at counter 0 */

	if (prove_known(s, p))
		return true;
	for (size_t i = 0; i < count; i++) {
		if (at_hand(s, keys[i]) || (!s->rtcp && !unseal_proves(&keys[i]->given.key)))
			continue;
		/* A new key goes on at the old counter (RFC 3711 3.3.1), but some senders begin anew. */
		if (onward != zero && try_at(s, p, keys[i], onward))
			return true;
		if (try_at(s, p, keys[i], zero))
			return true;
	}
	return false;
}

/* With a short tag, one of so many trials may hit by chance: another held packet must open too. */
static bool confirmed(
	struct stream *s, const struct parcel *p, struct ring_key *key, struct unseal *with, int64_t shift)
{
	int asked = 0;

	if (suite_facts(key->given.key.suite)->srtp_tag > SHORT_TAG)
		return true;
	for (struct parcel *q = s->held.first; q != NULL && asked < CONFIRMERS; q = q->next) {
		if (q->settled || q->place == p->place)
			continue;
		if (open_with(s, q, key, with, shift))
			return true; /* and it stays opened */
		asked++;
	}
	return false;
}

static bool search_key(struct stream *s, struct parcel *p, struct ring_key *key)
{
	struct unseal *with = unseal_new_for(&key->given.key, s->ssrc);
	int64_t zero = shift_to_zero(p);

	for (int64_t roc = 0; with != NULL && roc <= SEARCH_ROC; roc++) {
		if (!open_with(s, p, key, with, zero + roc * WRAP))
			continue;
		if (!confirmed(s, p, key, with, zero + roc * WRAP))
			continue;
		adopt(s, p, key, with, zero + roc * WRAP);
		return true;
	}
	unseal_free(with);
	p->clear_len = 0;
	p->key = NULL;
	return false;
}

bool prove_search(struct stream *s, struct parcel *p)
{
	struct ring_key *keys[KEYRING_MAX];
	uint32_t lines[SPOT_LINES];
	struct key_sought wanted = stream_wants(s, lines);
	size_t count = keyring_order(&s->call->ring, &wanted, keys);

	if (s->rtcp)
		return false;
	s->searched_age = s->call->ring.age;
	for (size_t i = 0; i < count && i < SEARCHED && s->call->searches > 0; i++) {
		if (!unseal_proves(&keys[i]->given.key))
			continue;
		s->call->searches--;
		if (search_key(s, p, keys[i]))
			return true;
	}
	return false;
}

/* What the key makes of the packets held so far is plausible, at counter 0 as all such streams begin. */
static bool makes_sense(struct stream *s, struct ring_key *key, struct unseal *with)
{
	struct plausible *look = calloc(1, sizeof(*look));
	int64_t zero = shift_to_zero(s->held.first);
	int sampled = 0;
	bool sense;

	for (struct parcel *q = s->held.first; look != NULL && q != NULL && sampled < SAMPLE; q = q->next) {
		struct bytes clear;
		struct rtp rtp;

		if (q->settled || !open_with(s, q, key, with, zero))
			continue;
		clear = parcel_clear(q);
		if (rtp_parse(clear, &rtp))
			plausible_add(
				look, stream_format(s, rtp.pt), rtp.pt, rtp.seq, rtp.timestamp, rtp_media(clear), 0);
		q->clear_len = 0;
		q->key = NULL;
		sampled++;
	}
	sense = look != NULL && plausible_clear(look, false);
	free(look);
	return sense;
}

bool prove_without_tag(struct stream *s)
{
	struct ring_key *keys[KEYRING_MAX];
	uint32_t lines[SPOT_LINES];
	struct key_sought wanted = stream_wants(s, lines);
	size_t count = keyring_order(&s->call->ring, &wanted, keys);

	if (s->rtcp || s->held.first == NULL || s->opened_count > 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct unseal *with;

		if (unseal_proves(&keys[i]->given.key) || !keys[i]->given.chosen)
			continue;
		with = unseal_new_for(&keys[i]->given.key, s->ssrc);
		if (with != NULL && makes_sense(s, keys[i], with)) {
			adopt(s, s->held.first, keys[i], with, shift_to_zero(s->held.first));
			return true;
		}
		unseal_free(with);
	}
	return false;
}
