/* mikey_chain: payloads one after the other, each reader for its own kind (RFC 3830 6.2 to 6.15, RFC 6043 6, RFC 6509 4.2). */
#include "mikey_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void mikey_refuse(struct mikey_cursor *c, const char *fmt, ...)
{
	char why[160];
	va_list ap;

	if (c->failed)
		return;
	c->failed = true;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	err_set(c->err, "octet %zu: %s: %s", c->at, c->what, why);
}

struct bytes mikey_read(struct mikey_cursor *c, size_t len)
{
	struct bytes part = { NULL, 0 };

	if (!c->failed && len > c->in.len - c->at)
		mikey_refuse(c, "%zu octets are wanted, %zu are left", len, c->in.len - c->at);
	if (c->failed || len == 0)
		return part;
	part = bytes_part(c->in, c->at, len);
	c->at += len;
	return part;
}

uint8_t mikey_read_8(struct mikey_cursor *c)
{
	struct bytes b = mikey_read(c, 1);

	return b.len > 0 ? b.at[0] : 0;
}

uint16_t mikey_read_16(struct mikey_cursor *c)
{
	struct bytes b = mikey_read(c, 2);

	return b.len > 0 ? be16(b.at) : 0;
}

uint32_t mikey_read_32(struct mikey_cursor *c)
{
	struct bytes b = mikey_read(c, 4);

	return b.len > 0 ? be32(b.at) : 0;
}

/* As many octets as a number implies: none where the number is not known, for then nobody knows where the payload ends. */
static struct bytes read_implied(struct mikey_cursor *c, const char *of, uint8_t number, int len)
{
	if (len < 0)
		mikey_refuse(c, "%s %u is not known, and so not how long it is", of, number);
	return mikey_read(c, len < 0 ? 0 : (size_t)len);
}

static struct bytes read_16_and(struct mikey_cursor *c)
{
	return mikey_read(c, mikey_read_16(c));
}

static struct bytes read_8_and(struct mikey_cursor *c)
{
	return mikey_read(c, mikey_read_8(c));
}

static void read_kv(struct mikey_cursor *c, uint8_t kind, struct mikey_kv *kv)
{
	kv->kind = kind;
	if (kind == MIKEY_KV_SPI) {
		kv->spi = read_8_and(c);
	} else if (kind == MIKEY_KV_INTERVAL) {
		kv->from = read_8_and(c);
		kv->to = read_8_and(c);
	} else if (kind != MIKEY_KV_NULL) {
		mikey_refuse(c, "key validity of kind %u is not known", kind);
	}
}

static void read_kemac(struct mikey_cursor *c, struct mikey_payload *p)
{
	p->kemac.encr = mikey_read_8(c);
	p->kemac.data = read_16_and(c);
	p->kemac.mac = mikey_read_8(c);
	p->kemac.value = read_implied(c, "MAC algorithm", p->kemac.mac, mikey_mac_len(p->kemac.mac));
}

static void read_pke(struct mikey_cursor *c, struct mikey_payload *p)
{
	uint16_t word = mikey_read_16(c);

	p->pke.cache = (uint8_t)(word >> 14);
	p->pke.data = mikey_read(c, word & 0x3fff);
}

static void read_dh(struct mikey_cursor *c, struct mikey_payload *p)
{
	uint8_t bits;

	p->dh.group = mikey_read_8(c);
	p->dh.value = read_implied(c, "DH group", p->dh.group, mikey_group_len(p->dh.group));
	bits = mikey_read_8(c);
	p->dh.reserved = bits >> 4;
	read_kv(c, bits & 15, &p->dh.kv);
}

static void read_sign(struct mikey_cursor *c, struct mikey_payload *p)
{
	uint16_t word = mikey_read_16(c);

	p->sign.kind = (uint8_t)(word >> 12);
	p->sign.value = mikey_read(c, word & 0x0fff);
}

static void read_time(struct mikey_cursor *c, struct mikey_payload *p)
{
	if (p->type == MIKEY_TR)
		p->time.role = mikey_read_8(c);
	p->time.kind = mikey_read_8(c);
	p->time.value = read_implied(c, "timestamp of kind", p->time.kind, mikey_time_len(p->time.kind));
}

static void read_id(struct mikey_cursor *c, struct mikey_payload *p)
{
	if (p->type == MIKEY_IDR)
		p->id.role = mikey_read_8(c);
	p->id.kind = mikey_read_8(c);
	p->id.data = read_16_and(c);
}

static void read_hash(struct mikey_cursor *c, struct mikey_payload *p)
{
	p->hash.kind = mikey_read_8(c);
	p->hash.value = read_implied(c, "hash function", p->hash.kind, mikey_hash_len(p->hash.kind));
}

static void read_v(struct mikey_cursor *c, struct mikey_payload *p)
{
	p->v.mac = mikey_read_8(c);
	p->v.value = read_implied(c, "MAC algorithm", p->v.mac, mikey_mac_len(p->v.mac));
}

static void read_sp(struct mikey_cursor *c, struct mikey_payload *p)
{
	uint8_t type;
	struct bytes value;
	size_t end = 0;

	p->sp.number = mikey_read_8(c);
	p->sp.protocol = mikey_read_8(c);
	p->sp.params = read_16_and(c);
	for (size_t i = 0; !c->failed && mikey_param(p->sp.params, i, &type, &value); i++)
		end += 2 + value.len;
	if (end != p->sp.params.len)
		mikey_refuse(c, "its parameters end within one");
}

static void read_rand(struct mikey_cursor *c, struct mikey_payload *p)
{
	if (p->type == MIKEY_RANDR)
		p->rand.role = mikey_read_8(c);
	p->rand.value = read_8_and(c);
}

static void read_error(struct mikey_cursor *c, struct mikey_payload *p)
{
	p->error.number = mikey_read_8(c);
	p->error.reserved = mikey_read_16(c);
}

/* RFC 6043 6.10: PRF(7) D … O, Res(5) in 24 bits. */
static void read_ticket(struct mikey_cursor *c, struct mikey_payload *p)
{
	size_t begin = c->at - 1;
	uint16_t word;

	p->ticket.type = mikey_read_16(c);
	p->ticket.subtype = mikey_read_8(c);
	p->ticket.version = mikey_read_8(c);
	word = mikey_read_16(c);
	p->ticket.prf = (uint8_t)(word >> 9);
	p->ticket.flags = (uint16_t)((word & 0x1ff) << 3);
	word = mikey_read_8(c);
	p->ticket.flags |= (uint16_t)(word >> 5);
	p->ticket.reserved = word & 31;
	p->ticket.policy = read_16_and(c);
	if (p->type == MIKEY_TP)
		return;
	p->ticket.data = read_16_and(c);
	p->ticket.initiator_at = c->at - begin;
	p->ticket.initiator = read_16_and(c);
}

static void read_key(struct mikey_cursor *c, struct mikey_payload *p)
{
	uint8_t bits = mikey_read_8(c);

	p->key.kind = bits >> 4;
	p->key.key = read_16_and(c);
	p->key.salted = mikey_key_salted(p->key.kind);
	if (p->key.salted)
		p->key.salt = read_16_and(c);
	read_kv(c, bits & 15, &p->key.kv);
}

static void read_ext(struct mikey_cursor *c, struct mikey_payload *p)
{
	p->ext.kind = mikey_read_8(c);
	p->ext.data = read_16_and(c);
}

static void read_sakke(struct mikey_cursor *c, struct mikey_payload *p)
{
	p->sakke.params = mikey_read_8(c);
	p->sakke.scheme = mikey_read_8(c);
	p->sakke.data = read_16_and(c);
}

static void read_thdr(struct mikey_cursor *c, struct mikey_payload *p)
{
	p->thdr.data = read_16_and(c);
}

static void (*reader_of(enum mikey_payload_type type))(struct mikey_cursor *, struct mikey_payload *)
{
	static void (*const readers[])(struct mikey_cursor *, struct mikey_payload *) = {
		[MIKEY_KEMAC] = read_kemac,
		[MIKEY_PKE] = read_pke,
		[MIKEY_DH] = read_dh,
		[MIKEY_SIGN] = read_sign,
		[MIKEY_T] = read_time,
		[MIKEY_ID] = read_id,
		[MIKEY_CERT] = read_id,
		[MIKEY_CHASH] = read_hash,
		[MIKEY_V] = read_v,
		[MIKEY_SP] = read_sp,
		[MIKEY_RAND] = read_rand,
		[MIKEY_ERR] = read_error,
		[MIKEY_TR] = read_time,
		[MIKEY_IDR] = read_id,
		[MIKEY_RANDR] = read_rand,
		[MIKEY_TP] = read_ticket,
		[MIKEY_TICKET] = read_ticket,
		[MIKEY_KEY] = read_key,
		[MIKEY_EXT] = read_ext,
		[MIKEY_SAKKE] = read_sakke,
	};

	if (type == MIKEY_THDR)
		return read_thdr;
	return (size_t)type < sizeof(readers) / sizeof(readers[0]) ? readers[type] : NULL;
}

/* One payload; the number of the next. */
static enum mikey_payload_type read_payload(
	struct mikey_cursor *c, enum mikey_payload_type type, struct mikey_payload *out)
{
	void (*reader)(struct mikey_cursor *, struct mikey_payload *) = reader_of(type);
	enum mikey_payload_type next = MIKEY_LAST;
	size_t begin = c->at;

	memset(out, 0, sizeof(*out));
	out->type = type;
	out->at = begin;
	c->what = mikey_payload_text(type);
	if (reader == NULL) {
		c->what = "next payload";
		mikey_refuse(c, "payload %d is not known", (int)type);
		return MIKEY_LAST;
	}
	if (type != MIKEY_SIGN)
		next = (enum mikey_payload_type)mikey_read_8(c);
	reader(c, out);
	out->whole = bytes_part(c->in, begin, c->at - begin);
	return next;
}

long mikey_read_chain(
	struct mikey_cursor *c, enum mikey_payload_type type, bool padded, struct mikey_payload out[MIKEY_PAYLOADS])
{
	long count = 0;

	while (type != MIKEY_LAST && !c->failed) {
		if (count == MIKEY_PAYLOADS) {
			mikey_refuse(c, "more than %d payloads", MIKEY_PAYLOADS);
			break;
		}
		type = read_payload(c, type, &out[count]);
		count++;
	}
	while (padded && c->at < c->in.len && c->in.at[c->at] == 0)
		c->at++;
	if (!c->failed && c->at < c->in.len) {
		c->what = "end";
		mikey_refuse(c, "%zu octets lie behind the last payload", c->in.len - c->at);
	}
	return c->failed ? -1 : count;
}

long mikey_inside(
	struct bytes field, enum mikey_payload_type first, struct mikey_payload out[MIKEY_PAYLOADS], struct err *err)
{
	struct mikey_cursor c = { .in = field, .what = "first payload", .err = err };

	if (field.len == 0)
		return 0;
	if (first == MIKEY_LAST)
		first = (enum mikey_payload_type)mikey_read_8(&c);
	return mikey_read_chain(&c, first, false, out);
}

void mikey_read_cs(struct mikey_cursor *c, struct mikey_cs *out)
{
	uint8_t bits;

	memset(out, 0, sizeof(*out));
	out->id = mikey_read_8(c);
	out->protocol = mikey_read_8(c);
	bits = mikey_read_8(c);
	out->s = bits >> 7;
	out->policies = mikey_read(c, bits & 127);
	out->data = read_16_and(c);
	out->spi = read_8_and(c);
}
