/* mikey_facts: each payload's fields by name, with what their numbers mean. */
#include "otway/mikey_facts.h"

#define COUNT(a)               (sizeof(a) / sizeof((a)[0]))
#define MEANING(table, number) ((number) < COUNT(table) ? (table)[number] : NULL)

static const char *const encrs[] = { "NULL", "AES-CM-128", "AES-KW-128", "AES-CM-256" };
static const char *const macs[] = { "NULL", "HMAC-SHA-1-160", "HMAC-SHA-256-256" };
static const char *const prfs[] = { "MIKEY-1", "PRF-HMAC-SHA-256" };
static const char *const maps[] = { "SRTP-ID", "empty", "GENERIC-ID" };
static const char *const caches[] = { "no cache", "cache", "cache for CSB" };
static const char *const groups[] = { "OAKLEY 5", "OAKLEY 1", "OAKLEY 2" };
static const char *const signs[] = { "RSA/PKCS#1/1.5", "RSA/PSS", "ECCSI" };
static const char *const times[] = { "NTP-UTC", "NTP", "COUNTER", "NTP-UTC-32" };
static const char *const time_roles[] = { NULL, "issue", "start", "end", "rekey" };
static const char *const ids[] = { "NAI", "URI", "byte string" };
static const char *const id_roles[] = { NULL, "initiator", "responder", "KMS", "pre-shared key", "application",
	"initiator's KMS", "responder's KMS" };
static const char *const certs[] = { "X.509v3", "X.509v3 URL", "X.509v3 sign", "X.509v3 encr" };
static const char *const hashes[] = { "SHA-1", "MD5", "SHA-256" };
static const char *const rand_roles[] = { NULL, "initiator", "responder", "KMS" };
static const char *const errors[] = { "authentication failure", "invalid timestamp", "PRF not supported",
	"MAC not supported", "encryption not supported", "hash not supported", "DH group not supported",
	"ID not supported", "certificate not supported", "SP type not supported", "SP parameters not supported",
	"data type not supported", "unspecified", NULL, "ticket type not supported", "TP parameters not supported" };
static const char *const tickets[] = { NULL, "MIKEY base ticket", "3GPP base ticket" };
static const char *const key_kinds[] = { "TGK", "TGK+SALT", "TEK", "TEK+SALT", "GTGK", "GTGK+SALT", "MPK" };
static const char *const kvs[] = { "none", "SPI", "interval" };
static const char *const exts[] = { "vendor ID", "SDP IDs", NULL, "key ID", NULL, "OMA BCAST" };
static const char *const protocols[] = { "SRTP" };

/* Parameters of SP for SRTP (RFC 3830 6.10.1, RFC 4771, RFC 7714), and what the first two kinds of numbers mean. */
static const char *const params[] = { "encr_alg", "encr_key_length", "auth_alg", "auth_key_length", "salt_length",
	"srtp_prf", "key_derivation_rate", "srtp_encr", "srtcp_encr", "fec_order", "srtp_auth", "tag_length",
	"prefix_length", "roc_rate" };
static const char *const srtp_encrs[] = { "NULL", "AES-CM", "AES-F8", NULL, NULL, NULL, "AES-GCM" };
static const char *const srtp_auths[] = { "NULL", "HMAC-SHA-1", "RCCm1", "RCCm2", "RCCm3" };

struct list {
	struct mikey_fact *out;
	size_t count;
};

static void add(struct list *l, struct mikey_fact f)
{
	if (l->count < MIKEY_FACTS)
		l->out[l->count++] = f;
}

static void number(struct list *l, const char *name, uint64_t value, const char *meaning)
{
	add(l, (struct mikey_fact){ .name = name, .kind = MIKEY_FACT_NUMBER, .number = value, .text = meaning });
}

static void truth(struct list *l, const char *name, bool value)
{
	add(l, (struct mikey_fact){ .name = name, .kind = MIKEY_FACT_TRUTH, .number = value });
}

static void octets(struct list *l, const char *name, struct bytes value)
{
	add(l, (struct mikey_fact){ .name = name, .kind = MIKEY_FACT_OCTETS, .octets = value });
}

static void kv(struct list *l, const struct mikey_kv *v)
{
	number(l, "validity", v->kind, MEANING(kvs, v->kind));
	if (v->kind == MIKEY_KV_SPI)
		octets(l, "spi", v->spi);
	if (v->kind != MIKEY_KV_INTERVAL)
		return;
	octets(l, "valid_from", v->from);
	octets(l, "valid_to", v->to);
}

static void time_facts(struct list *l, const struct mikey_payload *p)
{
	nsec_t at = mikey_time_of(p);

	if (p->type == MIKEY_TR)
		number(l, "role", p->time.role, MEANING(time_roles, p->time.role));
	number(l, "kind", p->time.kind, MEANING(times, p->time.kind));
	if (p->type == MIKEY_TR && p->time.role == MIKEY_TR_REKEY && p->time.value.len >= 4)
		number(l, "seconds", be32(p->time.value.at), NULL);
	else if (at != NSEC_NONE)
		add(l, (struct mikey_fact){ .name = "time", .kind = MIKEY_FACT_TIME, .time = at });
	else if (p->time.value.len == 4)
		number(l, "counter", be32(p->time.value.at), NULL);
}

static void id_facts(struct list *l, const struct mikey_payload *p)
{
	if (p->type == MIKEY_IDR)
		number(l, "role", p->id.role, MEANING(id_roles, p->id.role));
	if (p->type == MIKEY_CERT) {
		number(l, "kind", p->id.kind, MEANING(certs, p->id.kind));
		number(l, "length", p->id.data.len, NULL);
		return;
	}
	number(l, "kind", p->id.kind, MEANING(ids, p->id.kind));
	add(l, (struct mikey_fact){ .name = "id", .kind = MIKEY_FACT_NAME, .octets = p->id.data });
}

static const char *param_meaning(uint8_t type, uint64_t value)
{
	return type == 0 ? MEANING(srtp_encrs, value) : type == 2 ? MEANING(srtp_auths, value) : NULL;
}

static void sp_facts(struct list *l, const struct mikey_payload *p)
{
	struct bytes value;
	uint8_t type;

	number(l, "policy", p->sp.number, NULL);
	number(l, "protocol", p->sp.protocol, MEANING(protocols, p->sp.protocol));
	for (size_t i = 0; mikey_param(p->sp.params, i, &type, &value); i++) {
		const char *name = type == 20 ? "aead_tag_length" : MEANING(params, type);
		uint64_t whole = 0;

		for (size_t j = 0; j < value.len; j++)
			whole = whole << 8 | value.at[j];
		if (p->sp.protocol != 0 || name == NULL || value.len > 8)
			octets(l, "parameter", value);
		else
			number(l, name, whole, param_meaning(type, whole));
	}
}

static void ticket_facts(struct list *l, const struct mikey_payload *p)
{
	static const char *const letters[] = { "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O" };
	const char *broken = mikey_flags_broken(p->ticket.flags);

	number(l, "ticket", p->ticket.type, MEANING(tickets, p->ticket.type));
	number(l, "subtype", p->ticket.subtype, NULL);
	number(l, "version", p->ticket.version, NULL);
	number(l, "prf", p->ticket.prf, MEANING(prfs, p->ticket.prf));
	for (unsigned i = 0; i < COUNT(letters); i++)
		truth(l, letters[i], p->ticket.flags >> (11 - i) & 1);
	if (broken != NULL)
		add(l, (struct mikey_fact){ .name = "broken", .kind = MIKEY_FACT_TEXT, .text = broken });
	number(l, "policy_length", p->ticket.policy.len, NULL);
	if (p->type == MIKEY_TP)
		return;
	number(l, "data_length", p->ticket.data.len, NULL);
	number(l, "initiator_length", p->ticket.initiator.len, NULL);
}

/* Lengths of what is secret or says nothing to people. */
static void key_facts(struct list *l, const struct mikey_payload *p)
{
	number(l, "kind", p->key.kind, MEANING(key_kinds, p->key.kind));
	number(l, "key_length", p->key.key.len, NULL);
	if (p->key.salted)
		number(l, "salt_length", p->key.salt.len, NULL);
	kv(l, &p->key.kv);
}

size_t mikey_facts(const struct mikey_payload *p, struct mikey_fact out[MIKEY_FACTS])
{
	struct list l = { out, 0 };

	switch (p->type) {
	case MIKEY_KEMAC:
		number(&l, "encr", p->kemac.encr, MEANING(encrs, p->kemac.encr));
		number(&l, "length", p->kemac.data.len, NULL);
		number(&l, "mac", p->kemac.mac, MEANING(macs, p->kemac.mac));
		break;
	case MIKEY_PKE:
		number(&l, "cache", p->pke.cache, MEANING(caches, p->pke.cache));
		number(&l, "length", p->pke.data.len, NULL);
		break;
	case MIKEY_DH:
		number(&l, "group", p->dh.group, MEANING(groups, p->dh.group));
		kv(&l, &p->dh.kv);
		break;
	case MIKEY_SIGN:
		number(&l, "kind", p->sign.kind, MEANING(signs, p->sign.kind));
		number(&l, "length", p->sign.value.len, NULL);
		break;
	case MIKEY_T:
	case MIKEY_TR:
		time_facts(&l, p);
		break;
	case MIKEY_ID:
	case MIKEY_IDR:
	case MIKEY_CERT:
		id_facts(&l, p);
		break;
	case MIKEY_CHASH:
		number(&l, "hash", p->hash.kind, MEANING(hashes, p->hash.kind));
		octets(&l, "value", p->hash.value);
		break;
	case MIKEY_V:
		number(&l, "mac", p->v.mac, MEANING(macs, p->v.mac));
		number(&l, "length", p->v.value.len, NULL);
		break;
	case MIKEY_SP:
		sp_facts(&l, p);
		break;
	case MIKEY_RANDR:
		number(&l, "role", p->rand.role, MEANING(rand_roles, p->rand.role));
		/* fall through */
	case MIKEY_RAND:
		octets(&l, "rand", p->rand.value);
		break;
	case MIKEY_ERR:
		number(&l, "error", p->error.number, MEANING(errors, p->error.number));
		break;
	case MIKEY_TP:
	case MIKEY_TICKET:
		ticket_facts(&l, p);
		break;
	case MIKEY_KEY:
		key_facts(&l, p);
		break;
	case MIKEY_EXT:
		number(&l, "kind", p->ext.kind, MEANING(exts, p->ext.kind));
		number(&l, "length", p->ext.data.len, NULL);
		break;
	case MIKEY_SAKKE:
		number(&l, "params", p->sakke.params, NULL);
		number(&l, "scheme", p->sakke.scheme, NULL);
		number(&l, "length", p->sakke.data.len, NULL);
		break;
	case MIKEY_THDR:
		number(&l, "length", p->thdr.data.len, NULL);
		break;
	case MIKEY_LAST:
		break;
	}
	return l.count;
}

size_t mikey_facts_header(const struct mikey *m, struct mikey_fact out[MIKEY_FACTS])
{
	const char *type = mikey_type_text(m->type);
	struct list l = { out, 0 };

	number(&l, "type", m->type, type[0] != '?' ? type : NULL);
	truth(&l, "v", m->v);
	number(&l, "prf", m->prf, MEANING(prfs, m->prf));
	number(&l, "csb", m->csb, NULL);
	number(&l, "sessions", m->cs_count, NULL);
	number(&l, "map", m->map_type, MEANING(maps, m->map_type));
	return l.count;
}

size_t mikey_facts_session(const struct mikey_cs *cs, struct mikey_fact out[MIKEY_FACTS])
{
	struct list l = { out, 0 };

	number(&l, "cs", cs->id, NULL);
	number(&l, "protocol", cs->protocol, MEANING(protocols, cs->protocol));
	octets(&l, "policies", cs->policies);
	if (cs->protocol == 0 && cs->data.len >= 4)
		number(&l, "ssrc", be32(cs->data.at), NULL);
	if (cs->protocol == 0 && cs->data.len >= 8)
		number(&l, "roc", be32(cs->data.at + 4), NULL);
	if (cs->protocol == 0 && cs->data.len >= 10)
		number(&l, "seq", be16(cs->data.at + 8), NULL);
	if (cs->spi.len > 0)
		octets(&l, "spi", cs->spi);
	return l.count;
}
