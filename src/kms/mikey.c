/* mikey: a message taken apart: its header, the map of crypto sessions, then its payloads (RFC 3830 6.1, RFC 6043 6.1). */
#include "mikey_parts.h"

#define SRTP_ID_LEN  9
#define VERSION_HERE 1

/* The map's octets, whose length only reading it tells. */
static void read_map(struct mikey_cursor *c, struct mikey *m)
{
	size_t begin = c->at;
	struct mikey_cs cs;

	c->what = "CS ID map";
	if (m->map_type == MIKEY_MAP_SRTP) {
		m->map = mikey_read(c, (size_t)m->cs_count * SRTP_ID_LEN);
	} else if (m->map_type == MIKEY_MAP_GENERIC) {
		for (unsigned i = 0; i < m->cs_count && !c->failed; i++)
			mikey_read_cs(c, &cs);
		m->map = bytes_part(c->in, begin, c->at - begin);
	} else if (m->map_type != MIKEY_MAP_EMPTY) {
		mikey_refuse(c, "map type %u is not known, and so not how long it is", m->map_type);
	}
}

/* The number of the first payload. */
static enum mikey_payload_type read_header(struct mikey_cursor *c, struct mikey *m)
{
	enum mikey_payload_type next;
	uint8_t bits;

	m->version = mikey_read_8(c);
	if (!c->failed && m->version != VERSION_HERE)
		mikey_refuse(c, "version %u is not known", m->version);
	m->type = mikey_read_8(c);
	next = (enum mikey_payload_type)mikey_read_8(c);
	bits = mikey_read_8(c);
	m->v = bits >> 7;
	m->prf = bits & 127;
	m->csb = mikey_read_32(c);
	m->cs_count = mikey_read_8(c);
	m->map_type = mikey_read_8(c);
	read_map(c, m);
	return next;
}

/* What lies within TP Data and Initiator Data is read once, so that nobody further on meets what does not decode. */
static bool inside_is_well(const struct mikey_payload *p, struct err *err)
{
	struct mikey_payload inside[MIKEY_PAYLOADS];

	if (p->type != MIKEY_TP && p->type != MIKEY_TICKET)
		return true;
	if (mikey_inside(p->ticket.policy, MIKEY_LAST, inside, err) < 0) {
		err_in(err, "octet %zu: TP Data", p->at);
		return false;
	}
	if (mikey_inside(p->ticket.initiator, MIKEY_LAST, inside, err) < 0) {
		err_in(err, "octet %zu: Initiator Data", p->at);
		return false;
	}
	return true;
}

bool mikey_decode(struct bytes in, struct mikey *out, struct err *err)
{
	struct mikey_cursor c = { .in = in, .what = "header", .err = err };
	enum mikey_payload_type first;
	long count;

	memset(out, 0, sizeof(*out));
	out->whole = in;
	if (in.len > MIKEY_MESSAGE_MAX)
		mikey_refuse(&c, "longer than %d octets", MIKEY_MESSAGE_MAX);
	first = read_header(&c, out);
	count = mikey_read_chain(&c, first, false, out->payloads);
	out->count = count < 0 ? 0 : (size_t)count;
	for (size_t i = 0; i < out->count; i++)
		if (!inside_is_well(&out->payloads[i], err))
			return false;
	return count >= 0;
}

const struct mikey_payload *mikey_find_in(
	const struct mikey_payload *p, size_t count, enum mikey_payload_type type, uint8_t role)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t own = p[i].type == MIKEY_IDR     ? p[i].id.role
			      : p[i].type == MIKEY_TR    ? p[i].time.role
			      : p[i].type == MIKEY_RANDR ? p[i].rand.role
							 : 0;

		if (p[i].type == type && (role == 0 || own == role))
			return &p[i];
	}
	return NULL;
}

const struct mikey_payload *mikey_find(const struct mikey *m, enum mikey_payload_type type, uint8_t role)
{
	return mikey_find_in(m->payloads, m->count, type, role);
}

struct bytes mikey_id_of(const struct mikey *m, enum mikey_id_role role)
{
	const struct mikey_payload *p = mikey_find(m, MIKEY_IDR, (uint8_t)role);

	return p != NULL ? p->id.data : (struct bytes){ NULL, 0 };
}

struct bytes mikey_rand_of(const struct mikey *m, enum mikey_rand_role role)
{
	const struct mikey_payload *p = mikey_find(m, MIKEY_RANDR, (uint8_t)role);

	return p != NULL ? p->rand.value : (struct bytes){ NULL, 0 };
}

/* Policy_no, SSRC, ROC: as the session data of a GENERIC-ID map, but for SEQ. */
static void srtp_id(struct bytes block, size_t i, struct mikey_cs *out)
{
	*out = (struct mikey_cs){
		.id = (uint8_t)(i + 1),
		.policies = bytes_part(block, 0, 1),
		.data = bytes_part(block, 1, SRTP_ID_LEN - 1),
	};
}

bool mikey_session(const struct mikey *m, size_t i, struct mikey_cs *out)
{
	struct mikey_cursor c = { .in = m->map, .what = "CS ID map" };

	if (i >= m->cs_count || m->map_type == MIKEY_MAP_EMPTY)
		return false;
	if (m->map_type == MIKEY_MAP_SRTP) {
		if (m->map.len < (i + 1) * SRTP_ID_LEN)
			return false;
		srtp_id(bytes_part(m->map, i * SRTP_ID_LEN, SRTP_ID_LEN), i, out);
		return true;
	}
	for (size_t at = 0; at <= i; at++)
		mikey_read_cs(&c, out);
	return !c.failed;
}

bool mikey_param(struct bytes params, size_t i, uint8_t *type, struct bytes *value)
{
	for (size_t at = 0; at + 2 <= params.len;) {
		size_t len = params.at[at + 1];

		if (len > params.len - at - 2)
			return false;
		if (i-- == 0) {
			*type = params.at[at];
			*value = bytes_part(params, at + 2, len);
			return true;
		}
		at += 2 + len;
	}
	return false;
}
