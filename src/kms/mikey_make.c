/* mikey_make: what the messages of MIKEY-TICKET have in common: how they begin, what protects them, what their MAC covers. */
#include "mikey_make.h"

void mikey_make_begin(struct mikey *m, enum mikey_type type, uint8_t prf, uint32_t csb)
{
	memset(m, 0, sizeof(*m));
	m->version = 1;
	m->type = (uint8_t)type;
	m->prf = prf;
	m->csb = csb;
	m->map_type = MIKEY_MAP_EMPTY;
}

void mikey_make_time(struct mikey *m, nsec_t at, uint8_t at8[8])
{
	mikey_time_put(at, at8);
	mikey_add(m, (struct mikey_payload){ .type = MIKEY_T, .time = { .kind = MIKEY_NTP_UTC, .value = { at8, 8 } } });
}

void mikey_make_rand(struct mikey *m, enum mikey_rand_role role, struct bytes value)
{
	if (value.len > 0)
		mikey_add(m, (struct mikey_payload){
				     .type = MIKEY_RANDR, .rand = { .role = (uint8_t)role, .value = value } });
}

struct mikey_payload mikey_make_id(enum mikey_id_role role, const struct mikey_name *name)
{
	return (struct mikey_payload){ .type = MIKEY_IDR,
		.id = { .role = (uint8_t)role, .kind = name->kind, .data = name->data } };
}

void mikey_make_name(struct mikey *m, enum mikey_id_role role, const struct mikey_name *name)
{
	if (name->data.len > 0)
		mikey_add(m, mikey_make_id(role, name));
}

void mikey_make_v(struct mikey *m, uint8_t mac)
{
	static const uint8_t zeroes[MIKEY_MAC_MAX];
	int len = mikey_mac_len(mac);

	mikey_add(m, (struct mikey_payload){
			     .type = MIKEY_V, .v = { .mac = mac, .value = { zeroes, len > 0 ? (size_t)len : 0 } } });
}

bool mikey_make_kemac(struct mikey *m, const struct mikey_source *s, uint8_t encr, nsec_t at,
	const struct mikey_keys *keys, struct buf *sealed, struct err *err)
{
	uint8_t at8[8];

	mikey_time_put(at, at8);
	if (!mikey_keys_seal(s, encr, m->csb, at8, keys, sealed, err))
		return false;
	mikey_add(
		m, (struct mikey_payload){ .type = MIKEY_KEMAC, .kemac = { .encr = encr, .data = buf_bytes(sealed) } });
	return true;
}

struct mikey_name mikey_name_of(const struct mikey *m, enum mikey_id_role role)
{
	const struct mikey_payload *p = mikey_find(m, MIKEY_IDR, (uint8_t)role);

	return p != NULL ? (struct mikey_name){ p->id.kind, p->id.data } : (struct mikey_name){ 0 };
}

/* RFC 6043 5.1.2: RANDRi in Request and Transfer, RANDRr in Resolve and in an answer of Transfer (G, which the caller sees to). */
struct mikey_source mikey_make_source(const struct mikey *m, const struct mikey *init, struct bytes key)
{
	const struct mikey *first = init != NULL ? init : m;
	struct bytes randr = mikey_rand_of(first, MIKEY_RAND_RESPONDER);

	if (m->type == MIKEY_TRANSFER_RESP)
		randr = mikey_rand_of(m, MIKEY_RAND_RESPONDER);
	return mikey_keys_message(
		(enum mikey_prf)m->prf, key, m->csb, init != NULL, mikey_rand_of(first, MIKEY_RAND_INITIATOR), randr);
}

static struct bytes either(const struct mikey *m, enum mikey_id_role role, struct bytes known)
{
	struct bytes own = mikey_id_of(m, role);

	return own.len > 0 ? own : known;
}

size_t mikey_make_behind(
	const struct mikey *m, const struct mikey *init, const struct mikey_parties *known, struct bytes behind[2])
{
	static const struct mikey_parties nobody;

	if (known == NULL)
		known = &nobody;
	if (m->type == MIKEY_ERROR)
		return 0;
	if (init != NULL) {
		behind[0] = init->whole;
		return 1;
	}
	if (m->type == MIKEY_RESOLVE_INIT_PSK || m->type == MIKEY_RESOLVE_INIT_PK)
		behind[0] = either(m, MIKEY_ID_RESPONDER, known->responder);
	else
		behind[0] = either(m, MIKEY_ID_INITIATOR, known->initiator);
	if (m->type == MIKEY_TRANSFER_INIT)
		behind[1] = either(m, MIKEY_ID_RESPONDER, known->responder);
	else
		behind[1] = either(m, MIKEY_ID_KMS, known->kms);
	return 2;
}

bool mikey_make_open(const struct mikey *m, const struct mikey_source *s, struct mikey_keys *out, struct err *err)
{
	const struct mikey_payload *kemac = mikey_find(m, MIKEY_KEMAC, 0), *t = mikey_find(m, MIKEY_T, 0);
	uint8_t at8[8];

	memset(out, 0, sizeof(*out));
	if (kemac == NULL || t == NULL || !mikey_time_64(t, at8)) {
		err_set(err, "%s: KEMAC or T is missing", mikey_type_text(m->type));
		return false;
	}
	return mikey_keys_open(s, kemac->kemac.encr, m->csb, at8, kemac->kemac.data, out, err);
}
