/*
 * setups: calls by Call-ID, in the order of their first message; each has a few messages, compressed one by one.
 */
#include "otway/setups.h"

#include <stdlib.h>

#include "otway/base/inflate.h"
#include "otway/base/secret.h"
#include "otway/base/table.h"
#include "otway/base/text.h"

#define MESSAGES    8
#define ANSWER_WAIT (180 * NSEC_PER_SEC)
#define AGE_MAX     (24 * 3600 * NSEC_PER_SEC)
#define SWEEP       NSEC_PER_SEC
#define PACKET_MAX  ((size_t)64 << 10)

struct message {
	nsec_t at;
	struct flow flow;
	uint32_t source;
	uint32_t payload_at, payload_len; /* within the packet */
	uint32_t size;                    /* of all of this */
	uint8_t proto, header;
	bool framed, wrapped, provisional;
	uint8_t octets[]; /* the packet, compressed */
};

struct setup {
	struct setup *older, *newer;
	struct bytes call_id; /* owned */
	nsec_t first;
	bool answered;
	uint8_t count;
	size_t octets;
	struct message *messages[MESSAGES];
};

struct setups {
	struct table *calls;
	struct setup *oldest, *newest, *walking;
	struct deflater *deflater;
	struct buf small, large;
	size_t octets, octets_max, walked;
	nsec_t swept;
	uint64_t too_large, evicted;
};

struct setups *setups_new(size_t octets_max)
{
	struct setups *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->octets_max = octets_max;
	s->swept = NSEC_NONE;
	s->calls = table_new();
	s->deflater = deflater_new();
	if (s->calls == NULL || s->deflater == NULL) {
		setups_free(s);
		return NULL;
	}
	return s;
}

static void message_drop(struct setups *s, struct setup *p, size_t i)
{
	size_t octets = p->messages[i]->size;

	secret_free(p->messages[i], octets);
	p->octets -= octets;
	s->octets -= octets;
	memmove(&p->messages[i], &p->messages[i + 1], (p->count - i - 1) * sizeof(p->messages[0]));
	p->count--;
}

static void drop(struct setups *s, struct setup *p)
{
	while (p->count > 0)
		message_drop(s, p, p->count - 1);
	s->octets -= p->octets;
	table_take(s->calls, p->call_id);
	*(p->older != NULL ? &p->older->newer : &s->oldest) = p->newer;
	*(p->newer != NULL ? &p->newer->older : &s->newest) = p->older;
	if (s->walking == p)
		s->walking = NULL;
	secret_free((void *)(uintptr_t)p->call_id.at, p->call_id.len);
	secret_free(p, sizeof(*p));
}

void setups_free(struct setups *s)
{
	if (s == NULL)
		return;
	while (s->oldest != NULL)
		drop(s, s->oldest);
	table_free(s->calls);
	deflater_free(s->deflater);
	buf_clear(&s->small);
	buf_clear(&s->large);
	free(s);
}

static struct setup *begin(struct setups *s, struct bytes call_id, nsec_t at)
{
	struct setup *p = calloc(1, sizeof(*p));
	uint8_t *copy = malloc(call_id.len);

	if (p == NULL || copy == NULL || !table_put(s->calls, call_id, p)) {
		free(p);
		free(copy);
		return NULL;
	}
	memcpy(copy, call_id.at, call_id.len);
	p->call_id = (struct bytes){ copy, call_id.len };
	p->first = at;
	p->octets = sizeof(*p) + call_id.len;
	s->octets += p->octets;
	p->older = s->newest;
	*(s->newest != NULL ? &s->newest->newer : &s->oldest) = p;
	s->newest = p;
	return p;
}

/* Room for so many octets of a call: what was only provisional goes first. False: there is none. */
static bool make_room(struct setups *s, struct setup *p, size_t octets)
{
	for (size_t i = 0; i < p->count && (p->octets + octets > SETUPS_CALL || p->count == MESSAGES);)
		if (p->messages[i]->provisional)
			message_drop(s, p, i);
		else
			i++;
	return p->octets + octets <= SETUPS_CALL && p->count < MESSAGES;
}

static void keep(struct setups *s, struct setup *p, const struct datagram *d, bool provisional)
{
	struct message *m;
	size_t size;

	buf_reset(&s->small);
	if (d->packet.len > PACKET_MAX || !deflater_octets(s->deflater, d->packet, &s->small))
		return;
	size = sizeof(*m) + s->small.len;
	if (!make_room(s, p, size)) {
		s->too_large++;
		return;
	}
	m = calloc(1, size);
	if (m == NULL)
		return;
	m->at = d->at;
	m->flow = d->flow;
	m->source = d->source;
	m->payload_at = (uint32_t)(d->payload.at - d->packet.at);
	m->payload_len = (uint32_t)d->payload.len;
	m->size = (uint32_t)size;
	m->proto = d->proto;
	m->header = d->header;
	m->framed = d->framed;
	m->wrapped = d->wrapped;
	m->provisional = provisional;
	memcpy(m->octets, s->small.at, s->small.len);
	p->messages[p->count++] = m;
	p->octets += size;
	s->octets += size;
	while (s->octets > s->octets_max && s->oldest != p) {
		drop(s, s->oldest);
		s->evicted++;
	}
}

static bool has_media(struct bytes text)
{
	return memmem(text.at, text.len, "\nm=", 3) != NULL;
}

void setups_take(struct setups *s, const struct datagram *d, const struct glance *g)
{
	struct bytes text = text_trim(d->payload);
	bool invite = text_begins(text, "INVITE "), ok = text_begins(text, "SIP/2.0 2"),
	     provisional = text_begins(text, "SIP/2.0 18");
	struct setup *p;

	if (!g->setup || d->truncated || g->call_id.len == 0 || g->call_id.len > 512)
		return;
	p = table_get(s->calls, g->call_id);
	if (text_begins(text, "BYE ")) {
		if (p != NULL)
			drop(s, p);
		return;
	}
	if (!invite && !has_media(text))
		return;
	if (p == NULL && invite)
		p = begin(s, g->call_id, d->at);
	if (p == NULL)
		return;
	p->answered |= ok;
	keep(s, p, d, provisional);
}

static bool unfold(struct setups *s, const struct message *m, struct datagram *out)
{
	buf_reset(&s->large);
	if (!inflate_bytes((struct bytes){ m->octets, m->size - sizeof(*m) }, PACKET_MAX, &s->large) ||
		s->large.len < (size_t)m->payload_at + m->payload_len)
		return false;
	*out = (struct datagram){
		.at = m->at,
		.source = m->source,
		.proto = m->proto,
		.header = m->header,
		.flow = m->flow,
		.framed = m->framed,
		.wrapped = m->wrapped,
		.packet = buf_bytes(&s->large),
		.payload = { s->large.at + m->payload_at, m->payload_len },
	};
	return true;
}

bool setups_each(struct setups *s, size_t *step, struct datagram *out)
{
	if ((*step)++ == 0) {
		s->walking = s->oldest;
		s->walked = 0;
	}
	for (; s->walking != NULL; s->walking = s->walking->newer, s->walked = 0)
		while (s->walked < s->walking->count)
			if (unfold(s, s->walking->messages[s->walked++], out))
				return true;
	return false;
}

bool setups_of(struct setups *s, struct bytes call_id, size_t *step, struct datagram *out)
{
	const struct setup *p = table_get(s->calls, call_id);

	while (p != NULL && *step < p->count)
		if (unfold(s, p->messages[(*step)++], out))
			return true;
	return false;
}

void setups_time(struct setups *s, nsec_t at)
{
	if (s->swept != NSEC_NONE && at - s->swept < SWEEP && at >= s->swept)
		return;
	s->swept = at;
	for (struct setup *p = s->oldest, *next; p != NULL; p = next) {
		next = p->newer;
		if (p->first > at + 60 * NSEC_PER_SEC)
			p->first = at; /* the clock was set back */
		if (at - p->first > (p->answered ? AGE_MAX : ANSWER_WAIT))
			drop(s, p);
	}
}

size_t setups_counts(const struct setups *s, struct counter *out, size_t max)
{
	const struct counter all[] = {
		{ "setups", table_size(s->calls) },
		{ "setups_octets", s->octets },
		{ "setups_too_large", s->too_large },
		{ "setups_evicted", s->evicted },
	};
	size_t count = sizeof(all) / sizeof(all[0]);

	if (count > max)
		count = max;
	memcpy(out, all, count * sizeof(all[0]));
	return count;
}
