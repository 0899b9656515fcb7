/*
 * hep: the Homer encapsulation protocol, version 3: chunks that say who sent a message to whom, and the message. What
 * comes out is an IP packet made up around it, always of UDP: over whatever it went, it is whole.
 */
#include "walk.h"

#include <stdlib.h>

#include "otway/base/inflate.h"
#include "otway/model/checksum.h"

#define HEP_EARLIER (60 * NSEC_PER_SEC) /* a probe's stamp is believed when it is this little before our own */
#define HEP_LATER   (1 * NSEC_PER_SEC)
#define HEP_SIP     1
#define HEP_RTP     4
#define PAYLOAD_MAX (DECAP_MADE - 60)

enum chunk {
	CHUNK_SRC4 = 3,
	CHUNK_DST4,
	CHUNK_SRC6,
	CHUNK_DST6,
	CHUNK_SRC_PORT,
	CHUNK_DST_PORT,
	CHUNK_SECONDS,
	CHUNK_MICROSECONDS,
	CHUNK_PROTOCOL,
	CHUNK_PAYLOAD = 15,
	CHUNK_PACKED, /* the payload, compressed */
	CHUNKS
};

/* The value of each chunk; octets of it that must be there, 0: any number. */
struct chunks {
	struct bytes value[CHUNKS];
};

static const uint8_t sizes[CHUNKS] = {
	[CHUNK_SRC4] = 4,
	[CHUNK_DST4] = 4,
	[CHUNK_SRC6] = 16,
	[CHUNK_DST6] = 16,
	[CHUNK_SRC_PORT] = 2,
	[CHUNK_DST_PORT] = 2,
	[CHUNK_SECONDS] = 4,
	[CHUNK_MICROSECONDS] = 4,
	[CHUNK_PROTOCOL] = 1,
};

/* False: the chunks do not fill the length they are to fill, or one is of the wrong size. */
static bool read_chunks(struct bytes in, struct chunks *c)
{
	while (in.len > 0) {
		uint16_t vendor, type;
		size_t len;

		if (in.len < 6)
			return false;
		vendor = be16(in.at);
		type = be16(in.at + 2);
		len = be16(in.at + 4);
		if (len < 6 || len > in.len)
			return false;
		if (vendor == 0 && type < CHUNKS) {
			if (sizes[type] != 0 && len - 6 != sizes[type])
				return false;
			c->value[type] = (struct bytes){ in.at + 6, len - 6 };
		}
		in = bytes_part(in, len, in.len);
	}
	return true;
}

static void read_address(struct addr *a, struct bytes ip, struct bytes port)
{
	*a = (struct addr){ .family = ip.len == 16 ? 6 : 4, .port = be16(port.at) };
	memcpy(a->ip, ip.at, ip.len == 16 ? 16 : 4);
}

static bool read_flow(const struct chunks *c, struct flow *f)
{
	const struct bytes *v = c->value;
	bool four = v[CHUNK_SRC4].len > 0 && v[CHUNK_DST4].len > 0,
	     six = v[CHUNK_SRC6].len > 0 && v[CHUNK_DST6].len > 0;

	if (four == six || v[CHUNK_SRC_PORT].len == 0 || v[CHUNK_DST_PORT].len == 0)
		return false;
	read_address(&f->src, v[four ? CHUNK_SRC4 : CHUNK_SRC6], v[CHUNK_SRC_PORT]);
	read_address(&f->dst, v[four ? CHUNK_DST4 : CHUNK_DST6], v[CHUNK_DST_PORT]);
	return true;
}

/* When the probe saw it, if that can be; else when we saw it. */
static nsec_t read_time(const struct chunks *c, nsec_t at)
{
	const struct bytes *sec = &c->value[CHUNK_SECONDS], *usec = &c->value[CHUNK_MICROSECONDS];
	nsec_t then, later;

	if (sec->len == 0 || usec->len == 0 || be32(usec->at) > 999999)
		return at;
	then = be32(sec->at) * NSEC_PER_SEC + be32(usec->at) * (nsec_t)1000;
	if (__builtin_sub_overflow(then, at, &later))
		return at;
	return later >= -HEP_EARLIER && later <= HEP_LATER ? then : at;
}

static size_t make_ip(uint8_t *p, const struct flow *f, size_t segment)
{
	if (f->src.family == 6) {
		memcpy(p, (const uint8_t[]){ 0x60, 0, 0, 0, 0, 0, IP_PROTO_UDP, 64 }, 8);
		put_be16(p + 4, (uint16_t)segment);
		memcpy(p + 8, f->src.ip, 16);
		memcpy(p + 24, f->dst.ip, 16);
		return 40;
	}
	memcpy(p, (const uint8_t[]){ 0x45, 0, 0, 0, 0, 0, 0, 0, 64, IP_PROTO_UDP, 0, 0 }, 12);
	put_be16(p + 2, (uint16_t)(20 + segment));
	memcpy(p + 12, f->src.ip, 4);
	memcpy(p + 16, f->dst.ip, 4);
	put_be16(p + 10, checksum_value(checksum_add(0, (struct bytes){ p, 20 })));
	return 20;
}

/* The packet as it may have been on the wire. Its length; the payload stands at its end. */
static size_t make_packet(uint8_t *p, const struct flow *f, struct bytes payload)
{
	size_t segment = 8 + payload.len, header = make_ip(p, f, segment);
	uint8_t *udp = p + header;
	uint16_t sum;

	put_be16(udp, f->src.port);
	put_be16(udp + 2, f->dst.port);
	put_be16(udp + 4, (uint16_t)segment);
	put_be16(udp + 6, 0);
	memcpy(udp + 8, payload.at, payload.len);
	sum = checksum_value(
		checksum_add(checksum_pseudo(&f->src, &f->dst, IP_PROTO_UDP, segment), (struct bytes){ udp, segment }));
	put_be16(udp + 6, sum != 0 ? sum : 0xffff);
	return header + segment;
}

/* The message, unpacked if need be; empty when there is none, or it cannot be unpacked to less than a packet holds. */
static struct bytes read_payload(struct decap *d, const struct chunks *c)
{
	struct bytes packed = c->value[CHUNK_PACKED];

	if (c->value[CHUNK_PAYLOAD].len > 0 || packed.len == 0)
		return c->value[CHUNK_PAYLOAD];
	buf_reset(&d->unpacked);
	return inflate_bytes(packed, PAYLOAD_MAX, &d->unpacked) ? buf_bytes(&d->unpacked) : (struct bytes){ NULL, 0 };
}

enum layer hep_take(struct decap *d, struct walk *w)
{
	const uint8_t *p = w->in.at;
	struct chunks c = { 0 };
	struct bytes payload;
	struct flow flow;
	size_t len;

	if (w->in.len < 6 || memcmp(p, "HEP3", 4) != 0)
		return END_UNKNOWN;
	if (be16(p + 4) > w->in.len || be16(p + 4) < 6)
		return walk_short(w);
	if (!read_chunks((struct bytes){ p + 6, be16(p + 4) - 6u }, &c) || !read_flow(&c, &flow))
		return END_BROKEN;
	if (c.value[CHUNK_PROTOCOL].len == 0 ||
		(c.value[CHUNK_PROTOCOL].at[0] != HEP_SIP && c.value[CHUNK_PROTOCOL].at[0] != HEP_RTP))
		return END_UNKNOWN;
	payload = read_payload(d, &c);
	if (payload.len == 0 || payload.len > PAYLOAD_MAX)
		return END_BROKEN;
	if (d->made == NULL)
		d->made = malloc(DECAP_MADE);
	if (d->made == NULL)
		return END_BROKEN;
	len = make_packet(d->made, &flow, payload);
	d->count[COUNT_TUNNELS + DECAP_HEP]++;
	d->out.at = read_time(&c, w->at);
	d->out.proto = IP_PROTO_UDP;
	d->out.truncated = false;
	d->out.flow = flow;
	d->out.packet = (struct bytes){ d->made, len };
	d->out.payload = (struct bytes){ d->made + len - payload.len, payload.len };
	d->out.header = 8;
	d->out.wrapped = true;
	return END_FOUND;
}
