/* kms_users: see its header. */
#include "kms_users.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/crypto.h"

#define SPAN (3600 * NSEC_PER_SEC)

static const struct bytes nothing;

void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "%s failed\n", what);
	exit(2);
}

static struct mikey_name name_of(const char *uri)
{
	return (struct mikey_name){ MIKEY_URI, bytes_of(uri) };
}

static struct mikey_name user(const struct user_call *c, int who)
{
	return name_of(c->kms->users[who].identity);
}

static struct bytes psk(const struct kms_policy *kms, int who)
{
	return (struct bytes){ kms->users[who].psk, kms->users[who].psk_len };
}

static void take(const struct buf *octets, struct mikey *out)
{
	must(mikey_decode(buf_bytes(octets), out, NULL) && out->type != MIKEY_ERROR, "an exchange with the KMS");
}

struct user_call *call_new(const struct kms_policy *kms, nsec_t now, uint32_t number)
{
	struct user_call *c = calloc(1, sizeof(*c));

	must(c != NULL && crypto_random(c->rand, sizeof(c->rand)), "memory");
	c->kms = kms;
	c->now = now;
	c->number = number;
	c->wish = (struct mikey_policy){ .type = 1,
		.subtype = 1,
		.version = 1,
		.flags = MIKEY_D | MIKEY_E | MIKEY_F | MIKEY_G | MIKEY_I | MIKEY_N | MIKEY_O,
		.kms = name_of(kms->identity),
		.initiator = user(c, 0),
		.start = NSEC_NONE,
		.end = now + SPAN,
		.responders = { user(c, 1) },
		.responder_count = 1 };
	return c;
}

void call_free(struct user_call *c)
{
	struct buf *const bufs[] = { &c->request, &c->granted, &c->own, &c->init, &c->resolve, &c->resolved, &c->resp };

	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		buf_clear(bufs[i]);
	free(c);
}

void call_request(struct user_call *c)
{
	const struct mikey_request r = { .mac = MIKEY_MAC_SHA1,
		.csb = c->number,
		.at = c->now,
		.randi = { c->rand, 16 },
		.initiator = user(c, 0),
		.kms = name_of(c->kms->identity),
		.wish = &c->wish };

	must(mikey_request_make(&r, psk(c->kms, 0), &c->request, NULL), "REQUEST_INIT");
	take(&c->request, &c->m_request);
}

void call_granted(struct user_call *c)
{
	take(&c->granted, &c->m_granted);
	must(mikey_request_answered(&c->m_granted, &c->m_request, psk(c->kms, 0), &c->alice, NULL), "REQUEST_RESP");
	c->ticket = *mikey_find(&c->m_granted, MIKEY_TICKET, 0);
}

void call_make_ticket(struct user_call *c)
{
	uint8_t keys_of[32];
	struct mikey_keys keys = { .count = 0 };
	const struct mikey_ticket_new t = { .policy = &c->wish,
		.at = c->now,
		.rand = { c->rand, sizeof(c->rand) },
		.encr = MIKEY_ENCR_CM_128,
		.mac = MIKEY_MAC_SHA1,
		.keys = &keys };

	c->wish.flags = (c->wish.flags & (uint16_t)~MIKEY_D) | MIKEY_L;
	must(crypto_random(keys_of, sizeof(keys_of)) &&
			mikey_keys_add(&keys, MIKEY_MPK, (struct bytes){ keys_of, 16 }, nothing, nothing) != NULL &&
			mikey_keys_add(&keys, MIKEY_TGK, (struct bytes){ keys_of + 16, 16 }, nothing, nothing) !=
				NULL &&
			mikey_ticket_seal(&t, psk(c->kms, 0), &c->own, NULL) &&
			mikey_inside(buf_bytes(&c->own), MIKEY_TICKET, c->inside, NULL) == 1 &&
			mikey_ticket_open(&c->inside[0], psk(c->kms, 0), &c->alice, NULL),
		"a ticket");
	c->ticket = c->inside[0];
}

/* Two sessions of a call; the answer tells SSRC and SPI. */
static void make_map(struct buf *map, bool answer)
{
	static const uint8_t policy[] = { 0 }, spi[] = { 0xaa, 0xbb };

	for (uint8_t cs = 1; cs <= 2; cs++) {
		const uint8_t data[] = { 0xde, 0xad, 0xbe, cs };
		struct mikey_cs s = { .id = cs, .policies = { policy, 1 } };

		if (answer) {
			s.data = (struct bytes){ data, sizeof(data) };
			s.spi = (struct bytes){ spi, sizeof(spi) };
		}
		must(mikey_session_add(map, &s), "a map");
	}
}

static void make_resolve(struct user_call *c)
{
	const struct mikey_resolve r = { .mac = MIKEY_MAC_SHA1,
		.csb = c->number,
		.at = c->now,
		.randr = { c->rand + 8, 16 },
		.responder = user(c, 1),
		.kms = name_of(c->kms->identity),
		.ticket = mikey_find(&c->m_init, MIKEY_TICKET, 0) };

	must(mikey_resolve_make(&r, psk(c->kms, 1), &c->resolve, NULL), "RESOLVE_INIT");
	take(&c->resolve, &c->m_resolve);
}

void call_offer(struct user_call *c)
{
	const struct mikey_payload sp = { .type = MIKEY_SP };
	struct buf map = { 0 };
	struct mikey_transfer t = { .mac = MIKEY_MAC_SHA1,
		.encr = MIKEY_ENCR_CM_128,
		.csb = c->number,
		.at = c->now,
		.initiator = user(c, 0),
		.responder = user(c, 1),
		.randi = { c->rand + 4, 16 },
		.policies = &sp,
		.policy_count = 1,
		.cs_count = 2,
		.ticket = &c->ticket,
		.secrets = &c->alice };

	make_map(&map, false);
	t.map = buf_bytes(&map);
	must(mikey_transfer_make(&t, &c->init, NULL), "TRANSFER_INIT");
	take(&c->init, &c->m_init);
	buf_clear(&map);
	make_resolve(c);
}

void call_answer(struct user_call *c)
{
	struct buf map = { 0 };
	struct mikey_transfer t = { .mac = MIKEY_MAC_SHA1,
		.encr = MIKEY_ENCR_CM_128,
		.at = c->now,
		.responder = user(c, 1),
		.cs_count = 2,
		.secrets = &c->bob,
		.randr = { c->rand + 12, 16 } };
	struct mikey_name answered;

	take(&c->resolved, &c->m_resolved);
	must(mikey_resolve_answered(
		     &c->m_resolved, &c->m_resolve, psk(c->kms, 1), &c->bob, &answered, &t.rand_kms, NULL),
		"RESOLVE_RESP");
	if (answered.data.len > 0)
		t.responder = answered;
	make_map(&map, true);
	t.map = buf_bytes(&map);
	must(mikey_transfer_answer(&c->m_init, &t, &c->resp, NULL), "TRANSFER_RESP");
	buf_clear(&map);
}

static struct or_message basis(const struct user_run *r, const struct kms_policy *kms, enum or_type type)
{
	struct or_message m = { .type = type,
		.m = { r->m, OR_NONCE },
		.a = bytes_of(kms->users[0].identity),
		.b = bytes_of(kms->users[1].identity),
		.kms = bytes_of(kms->identity),
		.sessions = { { .cs = 1, .suite_number = 1 }, { .cs = 2, .suite_number = 1 } },
		.session_count = 2 };

	if (type != OR_OFFER)
		m.r = m.b;
	return m;
}

/* Seals an envelope of the message for a user, and writes it with that. */
static void seal(struct or_message *m, const struct kms_policy *kms, int who, struct or_sealed *s, struct bytes *where,
	struct buf *envelope, struct buf *out)
{
	uint8_t key[OR_KEY];

	must(or_envelope_key(psk(kms, who), m->m, bytes_of(kms->users[who].identity), key) &&
			crypto_random(s->nonce, sizeof(s->nonce)) && or_seal(m, key, s, envelope),
		"an envelope");
	*where = buf_bytes(envelope);
	must(or_write(m, out, NULL) == 0, "a message of Otway-Rees");
}

/* P: what it is the hash of is read out of a message with an empty envelope. */
static void hash_policy(struct or_message m, uint8_t p[SHA256_LEN])
{
	static const uint8_t octet[1];
	struct or_message read;
	struct buf out = { 0 };

	m.envelope_a = (struct bytes){ octet, 1 };
	must(or_write(&m, &out, NULL) == 0 && or_read(buf_bytes(&out), &read, NULL) == 0, "a policy");
	sha256_of(read.policy_octets, p);
	buf_clear(&out);
}

void run_begin(struct user_run *r, const struct kms_policy *kms, uint32_t number)
{
	struct or_message offer, request;
	struct or_sealed one = { .type = 1 }, two = { .type = 2 };
	struct buf e1 = { 0 }, e2 = { 0 };

	*r = (struct user_run){ .call_id = "" };
	snprintf(r->call_id, sizeof(r->call_id), "call-%u", (unsigned)number);
	must(crypto_random(r->m, sizeof(r->m)), "random octets");
	offer = basis(r, kms, OR_OFFER);
	hash_policy(offer, one.p);
	seal(&offer, kms, 0, &one, &offer.envelope_a, &e1, &r->offer);
	request = basis(r, kms, OR_REQUEST);
	request.call_id = bytes_of(r->call_id);
	request.envelope_a = buf_bytes(&e1);
	two.r_len = request.r.len;
	memcpy(two.r, request.r.at, request.r.len);
	seal(&request, kms, 1, &two, &request.envelope_r, &e2, &r->request);
	buf_clear(&e1);
	buf_clear(&e2);
}

void run_answer(struct user_run *r)
{
	struct or_message m;

	must(or_read(buf_bytes(&r->response), &m, NULL) == 0 && m.type == OR_RESPONSE, "message 3");
	m.type = OR_ANSWER;
	must(or_write(&m, &r->answer, NULL) == 0, "message 4");
}

void run_clear(struct user_run *r)
{
	buf_clear(&r->offer);
	buf_clear(&r->request);
	buf_clear(&r->response);
	buf_clear(&r->answer);
}

struct xk_request li_request(const struct kms_policy *kms, nsec_t now, enum key_mgmt protocol, const char *call_id)
{
	return (struct xk_request){ .request = "00112233445566778899aabbccddeeff",
		.warrant = bytes_of("LIID-7"),
		.kms = bytes_of(kms->identity),
		.target = bytes_of(kms->users[0].identity),
		.from = bytes_of(kms->users[0].identity),
		.to = bytes_of(kms->users[1].identity),
		.answered = bytes_of(kms->users[1].identity),
		.call_id = bytes_of(call_id),
		.at = now,
		.protocol = protocol };
}
