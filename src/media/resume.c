/*
 * resume: what the process before this one knew of calls and their streams (kept.c wrote it), checked as foreign octets are. It waits
 * until its call is said, and its keys until they are given again: they are known by their prints.
 */
#include <stdlib.h>

#include "kept.h"
#include "otway/base/secret.h"
#include "state.h"

#define CALLS_KEPT 65536                /* that were not said yet */
#define KEPT_FOR   (600 * NSEC_PER_SEC) /* such a call */
#define TIME_MOST  (INT64_C(1) << 61)   /* beyond, a time is none */
#define PLACE_MOST (INT64_C(1) << 50)
#define WRAP       INT64_C(65536)

/* What is known of a call that was not said yet. */
struct kept {
	size_t len;
	uint8_t octets[];
};

/* in: what is left. Where it was too short, `ok` is false. */
struct reading {
	struct bytes in;
	bool ok;
};

static uint64_t get(struct reading *r, size_t octets)
{
	uint64_t value = 0;

	if (r->in.len < octets) {
		r->ok = false;
		r->in.len = 0;
		return 0;
	}
	for (size_t i = 0; i < octets; i++)
		value = value << 8 | r->in.at[i];
	r->in = bytes_part(r->in, octets, r->in.len);
	return value;
}

static void get_octets(struct reading *r, uint8_t *out, size_t octets)
{
	for (size_t i = 0; i < octets; i++)
		out[i] = (uint8_t)get(r, 1);
}

static nsec_t get_time(struct reading *r, nsec_t shift)
{
	nsec_t at = (nsec_t)get(r, 8);

	if (at == NSEC_NONE)
		return at;
	r->ok = r->ok && at > -TIME_MOST && at < TIME_MOST;
	return r->ok ? at + shift : 0;
}

static int64_t get_place(struct reading *r)
{
	int64_t place = (int64_t)get(r, 8);

	r->ok = r->ok && place > -PLACE_MOST && place < PLACE_MOST;
	return place;
}

static struct addr get_addr(struct reading *r)
{
	static const uint8_t none[12];
	struct addr a = { .family = (uint8_t)get(r, 1) };

	a.port = (uint16_t)get(r, 2);
	get_octets(r, a.ip, sizeof(a.ip));
	r->ok = r->ok && (a.family == 6 || (a.family == 4 && memcmp(a.ip + 4, none, sizeof(none)) == 0));
	return a;
}

static void get_usual(struct reading *r, struct usual *u)
{
	for (size_t i = 0; i < PLAUSIBLE_LENGTHS; i++)
		u->lengths[i] = (uint16_t)get(r, 2);
	u->length_count = (uint8_t)get(r, 1);
	u->length_next = (uint8_t)get(r, 1);
	u->mask = (uint8_t)get(r, 1);
	u->value = (uint8_t)get(r, 1);
	u->seen = get(r, 1) != 0;
	r->ok = r->ok && u->length_count <= PLAUSIBLE_LENGTHS && u->length_next < PLAUSIBLE_LENGTHS;
}

static void get_prints(struct reading *r, struct stream *s)
{
	uint8_t count = (uint8_t)get(r, 1);

	r->ok = r->ok && count <= OPENED_MAX;
	s->prints = r->ok && count > 0 ? calloc(count, sizeof(*s->prints)) : NULL;
	for (uint8_t i = 0; s->prints != NULL && i < count; i++) {
		get_octets(r, s->prints[i].print, KEY_PRINT);
		s->prints[i].mki_len = (uint8_t)get(r, 1);
		s->prints[i].shift = get_place(r);
		r->ok = r->ok && s->prints[i].shift % WRAP == 0;
		s->print_count++;
	}
	r->ok = r->ok && (s->prints != NULL || count == 0);
}

static void get_flags(struct reading *r, struct stream *s)
{
	uint8_t flags = (uint8_t)get(r, 1);
	uint64_t state = get(r, 1);

	s->rtcp = (flags & STREAM_RTCP) != 0;
	s->shown = (flags & STREAM_SHOWN) != 0;
	s->learned = (flags & STREAM_LEARNED) != 0;
	s->late = (flags & STREAM_LATE) != 0;
	s->based = (flags & STREAM_BASED) != 0;
	s->authenticated = (flags & STREAM_AUTHENTICATED) != 0;
	r->ok = r->ok && state <= STREAM_CLEAR;
	s->state = r->ok ? (enum stream_state)state : STREAM_UNDECIDED;
}

/* False: it is none. What is owned by *s is the caller's either way. */
static bool get_stream(struct reading *r, struct stream *s, nsec_t shift)
{
	get_flags(r, s);
	s->flow.src = get_addr(r);
	s->flow.dst = get_addr(r);
	s->ssrc = (uint32_t)get(r, 4);
	s->number = (uint32_t)get(r, 4);
	s->packets = (uint32_t)get(r, 4);
	s->keys_used = (uint32_t)get(r, 4);
	s->highest = get_place(r);
	s->lowest = get_place(r);
	s->base = get_place(r);
	s->first = get_time(r, shift);
	s->last = get_time(r, shift);
	s->authenticated_first = get_time(r, shift);
	s->authenticated_last = get_time(r, shift);
	get_usual(r, &s->usual);
	get_prints(r, s);
	r->ok = r->ok && s->first != NSEC_NONE && s->last != NSEC_NONE && s->authenticated_first != NSEC_NONE &&
		s->authenticated_last != NSEC_NONE;
	return r->ok;
}

/* True: it is of the call now. */
static bool adopt(struct call *c, const struct stream *known)
{
	struct stream *s;

	if (table_size(c->streams) > STREAMS_MAX || stream_find(c, &known->flow, known->ssrc, known->rtcp) != NULL)
		return false;
	s = stream_new(c, &known->flow, known->ssrc, known->rtcp);
	if (s == NULL)
		return false;
	*s = *known;
	s->call = c;
	return true;
}

static void apply(struct call *c, struct bytes octets)
{
	struct reading r = { octets, true };
	nsec_t shift = c->media->shift;
	uint64_t flags, numbers, count;
	nsec_t proven, heard;

	if (get(&r, 1) != KEPT_VERSION)
		return;
	flags = get(&r, 1);
	numbers = get(&r, 4);
	proven = get_time(&r, shift);
	heard = get_time(&r, shift);
	count = get(&r, 2);
	if (!r.ok)
		return;
	c->resumed_away = c->media->options.spill && (flags & CALL_AWAY) != 0;
	c->round_since = media_own(c->media, c->media->clock);
	c->dtls_seen = c->dtls_seen || (flags & CALL_DTLS) != 0;
	c->stream_numbers = c->stream_numbers > numbers ? c->stream_numbers : (uint32_t)numbers;
	c->proven = c->proven > proven ? c->proven : proven;
	c->heard = c->heard > heard ? c->heard : heard;
	c->stated = true;
	for (uint64_t i = 0; i < count && r.ok; i++) {
		struct stream s = { 0 };

		if (!get_stream(&r, &s, shift) || !adopt(c, &s))
			free(s.prints);
	}
}

static struct bytes number_key(const uint32_t *number)
{
	return (struct bytes){ (const uint8_t *)number, sizeof(*number) };
}

static void kept_free(struct kept *k)
{
	if (k != NULL)
		secret_free(k, sizeof(*k) + k->len);
}

static void keep(struct media *m, uint32_t number, struct bytes octets)
{
	struct kept *k;

	if (m->resumed == NULL)
		m->resumed = table_new();
	if (m->resumed == NULL)
		return;
	kept_free(table_take(m->resumed, number_key(&number)));
	if (octets.len == 0 || table_size(m->resumed) >= CALLS_KEPT)
		return;
	k = malloc(sizeof(*k) + octets.len);
	if (k == NULL)
		return;
	k->len = octets.len;
	memcpy(k->octets, octets.at, octets.len);
	if (!table_put(m->resumed, number_key(&number), k))
		kept_free(k);
}

void media_resume(struct media *m, struct bytes state)
{
	struct reading r = { state, true };

	media_take_back(m);
	m->resumed_until = NSEC_NONE;
	while (r.in.len > 0) {
		uint32_t number = (uint32_t)get(&r, 4), len = (uint32_t)get(&r, 4);
		struct bytes octets = bytes_part(r.in, 0, len);
		struct call *c = call_of(m, number, false);

		if (!r.ok || octets.len < len)
			return;
		if (c != NULL && !c->done)
			apply(c, octets);
		else
			keep(m, number, octets);
		r.in = bytes_part(r.in, len, r.in.len);
	}
}

void kept_apply(struct call *c)
{
	struct kept *k = c->media->resumed != NULL ? table_take(c->media->resumed, number_key(&c->number)) : NULL;

	if (k != NULL)
		apply(c, (struct bytes){ k->octets, k->len });
	kept_free(k);
}

void kept_clear(struct media *m)
{
	struct bytes key;
	struct kept *k;
	size_t step = 0;

	while (m->resumed != NULL && (k = table_next(m->resumed, &step, &key)) != NULL)
		kept_free(k);
	table_free(m->resumed);
	m->resumed = NULL;
}

/* Calls that nobody says any more ended meanwhile. */
void kept_expire(struct media *m, nsec_t at)
{
	struct bytes key;
	size_t step = 0;
	uint32_t number;
	uint8_t octets[4];

	if (m->resumed == NULL)
		return;
	if (m->resumed_until == NSEC_NONE)
		m->resumed_until = at + KEPT_FOR;
	if (at < m->resumed_until)
		return;
	while (table_next(m->resumed, &step, &key) != NULL) {
		memcpy(&number, key.at, sizeof(number));
		put_be32(octets, number);
		buf_add(&m->gone, octets, sizeof(octets));
	}
	kept_clear(m);
}

static bool is_of(const struct print_of *p, const struct ring_key *key)
{
	uint8_t print[KEY_PRINT];

	kept_print(&key->given.key, print);
	return key->given.key.mki_len == p->mki_len && memcmp(print, p->print, KEY_PRINT) == 0;
}

static bool revive(struct stream *s, const struct print_of *p)
{
	const struct keyring *r = &s->call->ring;

	for (size_t i = 0; i < r->count && s->opened_count < OPENED_MAX; i++) {
		struct unseal *with = is_of(p, r->keys[i]) ? unseal_new_for(&r->keys[i]->given.key, s->ssrc) : NULL;

		if (with == NULL)
			continue;
		r->keys[i]->opened = true;
		s->opened[s->opened_count++] = (struct opened_by){ r->keys[i], with, p->shift };
		return true;
	}
	return false;
}

void stream_prints(struct stream *s)
{
	uint8_t left = 0;

	if (s->prints_age == s->call->ring.age)
		return;
	s->prints_age = s->call->ring.age;
	for (uint8_t i = 0; i < s->print_count; i++)
		if (!revive(s, &s->prints[i]))
			s->prints[left++] = s->prints[i];
	s->print_count = left;
	if (left > 0)
		return;
	free(s->prints);
	s->prints = NULL;
}
