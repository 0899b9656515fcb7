/*
 * kept: what whoever follows must know of streams, call by call, as octets: number of the call, length of what follows, then version,
 * what is known of the call, and its streams. resume.c reads it.
 */
#include "kept.h"

#include "state.h"

#define STREAMS_KEPT 400 /* of one call, so that it fits a message */
#define STRETCH      13  /* bits of a sequence number: progress that is worth telling */

void call_changed(struct call *c)
{
	struct media *m = c->media;

	if (c->changed)
		return;
	c->changed = true;
	c->next_changed = NULL;
	if (m->last_changed != NULL)
		m->last_changed->next_changed = c;
	else
		m->changed = c;
	m->last_changed = c;
}

static void changed_take(struct media *m, struct call *c)
{
	struct call **at = &m->changed;

	if (!c->changed)
		return;
	m->last_changed = NULL;
	while (*at != NULL) {
		if (*at == c) {
			*at = c->next_changed;
			continue;
		}
		m->last_changed = *at;
		at = &(*at)->next_changed;
	}
	c->changed = false;
}

void call_unstate(struct call *c)
{
	uint8_t number[4];

	changed_take(c->media, c);
	put_be32(number, c->number);
	if (c->stated)
		buf_add(&c->media->gone, number, sizeof(number));
}

void stream_note(struct stream *s)
{
	const struct opened_by *by = s->opened_count > 0 ? &s->opened[0] : NULL;
	struct stream_told now = {
		.stretch = s->highest >> STRETCH,
		.shift = by != NULL ? by->shift : 0,
		.key = by != NULL ? by->key : NULL,
		.keys_used = s->keys_used,
		.state = (uint8_t)s->state,
		.shown = s->shown,
		.authenticated = s->authenticated,
	};
	const struct stream_told *was = &s->told;

	if (was->stretch == now.stretch && was->shift == now.shift && was->key == now.key &&
		was->keys_used == now.keys_used && was->state == now.state && was->shown == now.shown &&
		was->authenticated == now.authenticated)
		return;
	s->told = now;
	if (s->shown)
		call_changed(s->call);
}

static void add(struct buf *b, uint64_t value, size_t octets)
{
	uint8_t at[8];

	for (size_t i = 0; i < octets; i++)
		at[i] = (uint8_t)(value >> 8 * (octets - 1 - i));
	buf_add(b, at, octets);
}

static void add_addr(struct buf *b, const struct addr *a)
{
	add(b, a->family, 1);
	add(b, a->port, 2);
	buf_add(b, a->ip, sizeof(a->ip));
}

static void add_usual(struct buf *b, const struct usual *u)
{
	for (size_t i = 0; i < PLAUSIBLE_LENGTHS; i++)
		add(b, u->lengths[i], 2);
	add(b, u->length_count, 1);
	add(b, u->length_next, 1);
	add(b, u->mask, 1);
	add(b, u->value, 1);
	add(b, u->seen, 1);
}

void kept_print(const struct srtp_key *key, uint8_t out[KEY_PRINT])
{
	struct srtp_key print;

	srtp_key_print(key, &print);
	memcpy(out, print.key, KEY_PRINT);
}

static void add_prints(struct buf *b, const struct stream *s)
{
	uint8_t print[KEY_PRINT];

	uint8_t more = s->print_count < OPENED_MAX - s->opened_count ? s->print_count
								     : (uint8_t)(OPENED_MAX - s->opened_count);

	add(b, s->opened_count + more, 1);
	for (uint8_t i = 0; i < s->opened_count; i++) {
		kept_print(&s->opened[i].key->given.key, print);
		buf_add(b, print, sizeof(print));
		add(b, s->opened[i].key->given.key.mki_len, 1);
		add(b, (uint64_t)s->opened[i].shift, 8);
	}
	for (uint8_t i = 0; i < more; i++) { /* their keys did not come yet */
		buf_add(b, s->prints[i].print, KEY_PRINT);
		add(b, s->prints[i].mki_len, 1);
		add(b, (uint64_t)s->prints[i].shift, 8);
	}
}

static void add_stream(struct buf *b, const struct stream *s, nsec_t shift)
{
	add(b,
		(s->rtcp ? STREAM_RTCP : 0) | (s->shown ? STREAM_SHOWN : 0) | (s->learned ? STREAM_LEARNED : 0) |
			(s->late ? STREAM_LATE : 0) | (s->based ? STREAM_BASED : 0) |
			(s->authenticated ? STREAM_AUTHENTICATED : 0),
		1);
	add(b, s->state, 1);
	add_addr(b, &s->flow.src);
	add_addr(b, &s->flow.dst);
	add(b, s->ssrc, 4);
	add(b, s->number, 4);
	add(b, s->packets, 4);
	add(b, s->keys_used, 4);
	add(b, (uint64_t)s->highest, 8);
	add(b, (uint64_t)s->lowest, 8);
	add(b, (uint64_t)s->base, 8);
	add(b, (uint64_t)(s->first - shift), 8);
	add(b, (uint64_t)(s->last - shift), 8);
	add(b, (uint64_t)(s->authenticated_first - shift), 8);
	add(b, (uint64_t)(s->authenticated_last - shift), 8);
	add_usual(b, &s->usual);
	add_prints(b, s);
}

static nsec_t unshifted(nsec_t own, nsec_t shift)
{
	return own == NSEC_NONE ? NSEC_NONE : own - shift;
}

/* What is to be kept of a call: nothing, when it has no stream yet and none of its packets lies elsewhere. */
static void add_call(struct buf *b, const struct call *c)
{
	nsec_t shift = c->media->shift;
	bool away = c->media->options.spill && (c->waits || spill_outstanding(c));
	const struct stream *s;
	size_t step = 0, count = 0, at;

	while ((s = stream_next(c, &step)) != NULL)
		count += s->shown;
	count = count < STREAMS_KEPT ? count : STREAMS_KEPT;
	add(b, c->number, 4);
	at = b->len;
	add(b, 0, 4);
	if (count == 0 && !away)
		return;
	add(b, KEPT_VERSION, 1);
	add(b, (away ? CALL_AWAY : 0) | (c->dtls_seen ? CALL_DTLS : 0), 1);
	add(b, c->stream_numbers, 4);
	add(b, (uint64_t)unshifted(c->proven, shift), 8);
	add(b, (uint64_t)unshifted(c->heard, shift), 8);
	add(b, count, 2);
	for (step = 0; count > 0 && (s = stream_next(c, &step)) != NULL;)
		if (s->shown) {
			add_stream(b, s, shift);
			count--;
		}
	if (!b->failed)
		put_be32(b->at + at, (uint32_t)(b->len - at - 4));
}

bool media_state(struct media *m, struct buf *out)
{
	struct call *c = m->changed;
	size_t was = out->len;

	if (m->gone.len >= 4) {
		m->gone.len -= 4;
		buf_add(out, m->gone.at + m->gone.len, 4);
		add(out, 0, 4);
		return true;
	}
	while (c != NULL) {
		changed_take(m, c);
		add_call(out, c);
		if (out->failed || out->len - was > KEPT_HEAD || c->stated) {
			c->stated = out->len - was > KEPT_HEAD;
			return true;
		}
		out->len = was; /* nothing was kept of it, and nothing need be */
		c = m->changed;
	}
	return false;
}
