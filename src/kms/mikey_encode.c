/* mikey_encode: a message put together again, payload by payload, each writer for its own kind. */
#include "mikey_parts.h"

/* What is too long for its field makes the whole fail, as being out of memory does. */
static void put(struct buf *b, struct bytes value)
{
	buf_add(b, value.at, value.len);
}

static void put_8(struct buf *b, unsigned value)
{
	uint8_t octet = (uint8_t)value;

	b->failed |= value > UINT8_MAX;
	buf_add(b, &octet, 1);
}

static void put_16(struct buf *b, size_t value)
{
	uint8_t octets[2];

	b->failed |= value > UINT16_MAX;
	put_be16(octets, (uint16_t)value);
	buf_add(b, octets, 2);
}

static void put_with_8(struct buf *b, struct bytes value)
{
	put_8(b, value.len > UINT8_MAX ? UINT8_MAX + 1U : (unsigned)value.len);
	put(b, value);
}

static void put_with_16(struct buf *b, struct bytes value)
{
	put_16(b, value.len);
	put(b, value);
}

/* A value whose length its number implies. */
static void put_implied(struct buf *b, struct bytes value, int len)
{
	b->failed |= len < 0 || value.len != (size_t)len;
	put(b, value);
}

static void put_bits(struct buf *b, unsigned high, unsigned high_max, unsigned shift, size_t low)
{
	b->failed |= high > high_max || low >> shift != 0;
	put_16(b, (size_t)high << shift | low);
}

static void put_kv(struct buf *b, const struct mikey_kv *kv)
{
	b->failed |= kv->kind > MIKEY_KV_INTERVAL;
	if (kv->kind == MIKEY_KV_SPI) {
		put_with_8(b, kv->spi);
	} else if (kv->kind == MIKEY_KV_INTERVAL) {
		put_with_8(b, kv->from);
		put_with_8(b, kv->to);
	}
}

static void put_key(struct buf *b, const struct mikey_payload *p)
{
	b->failed |= p->key.kind > 15 || p->key.salted != mikey_key_salted(p->key.kind);
	put_8(b, (unsigned)(p->key.kind << 4 | p->key.kv.kind));
	put_with_16(b, p->key.key);
	if (p->key.salted)
		put_with_16(b, p->key.salt);
	put_kv(b, &p->key.kv);
}

static void put_ticket(struct buf *b, const struct mikey_payload *p)
{
	b->failed |= p->ticket.prf > 127 || p->ticket.flags > 0xfff || p->ticket.reserved > 31;
	put_16(b, p->ticket.type);
	put_8(b, p->ticket.subtype);
	put_8(b, p->ticket.version);
	put_16(b, (size_t)p->ticket.prf << 9 | p->ticket.flags >> 3);
	put_8(b, (unsigned)((p->ticket.flags & 7) << 5 | p->ticket.reserved));
	put_with_16(b, p->ticket.policy);
	if (p->type == MIKEY_TP)
		return;
	put_with_16(b, p->ticket.data);
	put_with_16(b, p->ticket.initiator);
}

static void put_dh(struct buf *b, const struct mikey_payload *p)
{
	b->failed |= p->dh.reserved > 15;
	put_8(b, p->dh.group);
	put_implied(b, p->dh.value, mikey_group_len(p->dh.group));
	put_8(b, (unsigned)(p->dh.reserved << 4 | p->dh.kv.kind));
	put_kv(b, &p->dh.kv);
}

static void put_kemac(struct buf *b, const struct mikey_payload *p)
{
	put_8(b, p->kemac.encr);
	put_with_16(b, p->kemac.data);
	put_8(b, p->kemac.mac);
	put_implied(b, p->kemac.value, mikey_mac_len(p->kemac.mac));
}

/* The payloads that are short enough to say here. */
static void put_body(struct buf *b, const struct mikey_payload *p)
{
	switch (p->type) {
	case MIKEY_KEMAC:
		put_kemac(b, p);
		break;
	case MIKEY_PKE:
		put_bits(b, p->pke.cache, 3, 14, p->pke.data.len);
		put(b, p->pke.data);
		break;
	case MIKEY_DH:
		put_dh(b, p);
		break;
	case MIKEY_SIGN:
		put_bits(b, p->sign.kind, 15, 12, p->sign.value.len);
		put(b, p->sign.value);
		break;
	case MIKEY_TR:
		put_8(b, p->time.role); /* then as T */
					/* fall through */
	case MIKEY_T:
		put_8(b, p->time.kind);
		put_implied(b, p->time.value, mikey_time_len(p->time.kind));
		break;
	case MIKEY_IDR:
		put_8(b, p->id.role); /* then as ID */
				      /* fall through */
	case MIKEY_ID:
	case MIKEY_CERT:
		put_8(b, p->id.kind);
		put_with_16(b, p->id.data);
		break;
	case MIKEY_CHASH:
		put_8(b, p->hash.kind);
		put_implied(b, p->hash.value, mikey_hash_len(p->hash.kind));
		break;
	case MIKEY_V:
		put_8(b, p->v.mac);
		put_implied(b, p->v.value, mikey_mac_len(p->v.mac));
		break;
	case MIKEY_SP:
		put_8(b, p->sp.number);
		put_8(b, p->sp.protocol);
		put_with_16(b, p->sp.params);
		break;
	case MIKEY_RANDR:
		put_8(b, p->rand.role); /* then as RAND */
					/* fall through */
	case MIKEY_RAND:
		put_with_8(b, p->rand.value);
		break;
	case MIKEY_ERR:
		put_8(b, p->error.number);
		put_16(b, p->error.reserved);
		break;
	case MIKEY_TP:
	case MIKEY_TICKET:
		put_ticket(b, p);
		break;
	case MIKEY_KEY:
		put_key(b, p);
		break;
	case MIKEY_EXT:
		put_8(b, p->ext.kind);
		put_with_16(b, p->ext.data);
		break;
	case MIKEY_SAKKE:
		put_8(b, p->sakke.params);
		put_8(b, p->sakke.scheme);
		put_with_16(b, p->sakke.data);
		break;
	case MIKEY_THDR:
		put_with_16(b, p->thdr.data);
		break;
	case MIKEY_LAST:
		b->failed = true;
	}
}

static unsigned number_of(const struct mikey_payload *p, size_t count, size_t i)
{
	return i < count ? (unsigned)p[i].type : MIKEY_LAST;
}

bool mikey_encode_inside(const struct mikey_payload *p, size_t count, bool numbered, struct buf *out)
{
	if (numbered)
		put_8(out, number_of(p, count, 0));
	for (size_t i = 0; i < count; i++) {
		if (p[i].type != MIKEY_SIGN)
			put_8(out, number_of(p, count, i + 1));
		else
			out->failed |= i + 1 < count;
		put_body(out, &p[i]);
	}
	return !out->failed;
}

bool mikey_encode(const struct mikey *m, struct buf *out)
{
	uint8_t csb[4];

	put_be32(csb, m->csb);
	put_8(out, m->version);
	put_8(out, m->type);
	put_8(out, number_of(m->payloads, m->count, 0));
	put_8(out, (unsigned)m->v << 7 | (m->prf & 127));
	buf_add(out, csb, sizeof(csb));
	put_8(out, m->cs_count);
	put_8(out, m->map_type);
	put(out, m->map);
	return mikey_encode_inside(m->payloads, m->count, false, out);
}

struct mikey_payload *mikey_add(struct mikey *m, struct mikey_payload p)
{
	if (m->count == MIKEY_PAYLOADS)
		return NULL;
	m->payloads[m->count] = p;
	return &m->payloads[m->count++];
}

bool mikey_session_add(struct buf *map, const struct mikey_cs *cs)
{
	put_8(map, cs->id);
	put_8(map, cs->protocol);
	map->failed |= cs->policies.len > 127;
	put_8(map, (unsigned)cs->s << 7 | (unsigned)(cs->policies.len & 127));
	put(map, cs->policies);
	put_with_16(map, cs->data);
	put_with_8(map, cs->spi);
	return !map->failed;
}
