/* msg_octets: texts, views within views, addresses, datagrams; and the messages that are no more than a datagram. */
#include "msg_octets.h"

bool put_end(struct buf *out, size_t from, bool ok)
{
	if (ok && !out->failed && out->len - from <= MSG_MAX)
		return true;
	out->len = from;
	return false;
}

bool put_within(struct buf *out, struct bytes whole, struct bytes part)
{
	uintptr_t from = (uintptr_t)whole.at, at = (uintptr_t)part.at;
	bool none = part.at == NULL;

	if (!none && (at < from || at - from > whole.len || part.len > whole.len - (at - from)))
		return false;
	put_u32(out, none ? UINT32_MAX : (uint32_t)(at - from));
	put_u32(out, none ? 0 : (uint32_t)part.len);
	return true;
}

struct bytes get_within(struct octets *in, struct bytes whole)
{
	size_t from = get_u32(in), len = get_u32(in);

	if (from == UINT32_MAX && len == 0)
		return (struct bytes){ NULL, 0 };
	if (in->bad || from > whole.len || len > whole.len - from) {
		in->bad = true;
		return (struct bytes){ NULL, 0 };
	}
	return (struct bytes){ whole.at + from, len };
}

const char *get_text(struct octets *in)
{
	struct bytes b = get_bytes(in);

	if (b.len == 0)
		return NULL;
	if (memchr(b.at, '\0', b.len) == b.at + b.len - 1)
		return (const char *)b.at;
	in->bad = true;
	return NULL;
}

const char *get_word(struct octets *in)
{
	const char *s = get_text(in);

	in->bad = in->bad || s == NULL;
	return s != NULL ? s : "";
}

void get_chars(struct octets *in, char *out, size_t size)
{
	const char *s = get_word(in);
	size_t len = strlen(s) + 1;

	in->bad = in->bad || len > size;
	memcpy(out, in->bad ? "" : s, in->bad ? 1 : len);
}

static size_t ip_len(uint8_t family)
{
	return family == 6 ? 16 : family == 4 ? 4 : 0;
}

void put_addr(struct buf *out, const struct addr *a)
{
	uint8_t *at = put_room(out, 3 + ip_len(a->family));

	if (at == NULL)
		return;
	at[0] = a->family;
	put_be16(at + 1, a->port);
	memcpy(at + 3, a->ip, ip_len(a->family));
}

struct addr get_addr(struct octets *in)
{
	struct addr a = { 0 };
	const uint8_t *ip;

	a.family = get_u8(in);
	a.port = get_u16(in);
	in->bad = in->bad || (a.family != 0 && a.family != 4 && a.family != 6);
	ip = get_octets(in, ip_len(a.family));
	if (ip != NULL)
		memcpy(a.ip, ip, ip_len(a.family));
	return a;
}

void put_flow(struct buf *out, const struct flow *f)
{
	put_addr(out, &f->src);
	put_addr(out, &f->dst);
}

struct flow get_flow(struct octets *in)
{
	struct addr src = get_addr(in);

	return (struct flow){ src, get_addr(in) };
}

enum { TRUNCATED = 1, FRAMED = 2, WRAPPED = 4 };

bool put_datagram(struct buf *out, const struct datagram *d)
{
	put_nsec(out, d->at);
	put_u32(out, d->source);
	put_u8(out, d->proto);
	put_u8(out, (d->truncated ? TRUNCATED : 0) | (d->framed ? FRAMED : 0) | (d->wrapped ? WRAPPED : 0));
	put_flow(out, &d->flow);
	put_u8(out, d->header);
	put_bytes(out, d->packet);
	return put_within(out, d->packet, d->payload);
}

void get_datagram(struct octets *in, struct datagram *d)
{
	unsigned bits;

	*d = (struct datagram){ .at = get_nsec(in) };
	d->source = get_u32(in);
	d->proto = get_u8(in);
	bits = get_bits(in, 3);
	d->truncated = (bits & TRUNCATED) != 0;
	d->framed = (bits & FRAMED) != 0;
	d->wrapped = (bits & WRAPPED) != 0;
	d->flow = get_flow(in);
	d->header = get_u8(in);
	d->packet = get_bytes(in);
	d->payload = get_within(in, d->packet);
	if (d->payload.at != NULL && d->header > d->payload.at - d->packet.at)
		in->bad = true;
}

bool msg_put_datagram(struct buf *out, const struct datagram *d)
{
	size_t from = out->len;

	return put_end(out, from, put_datagram(out, d));
}

bool msg_get_datagram(struct bytes in, struct datagram *d)
{
	struct octets o = octets_of(in);

	get_datagram(&o, d);
	return get_end(&o);
}

bool msg_put_held(struct buf *out, const struct msg_held *h)
{
	size_t from = out->len;

	put_u32(out, h->call);
	return put_end(out, from, put_datagram(out, &h->datagram));
}

bool msg_get_held(struct bytes in, struct msg_held *h)
{
	struct octets o = octets_of(in);

	h->call = get_u32(&o);
	get_datagram(&o, &h->datagram);
	return get_end(&o);
}
