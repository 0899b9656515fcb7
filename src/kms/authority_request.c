/* authority: a ticket is asked for, made, kept and given (RFC 6043 4.2.1, mode 1). */
#include "authority_parts.h"

#include "otway/base/crypto.h"
#include "otway/base/secret.h"
#include "otway/mikey_ticket.h"

#define KEY_LEN  32 /* of MPK, and of keys where nothing else is asked for */
#define KEYS_MAX 8  /* of one ticket, beside the MPK */

/* A ticket in the making. */
struct ticket {
	struct mikey_policy wish, policy;
	struct mikey_keys wanted, keys;
	struct mikey_secrets secrets;
	uint8_t secret[TICKET_SECRET], rand[KEY_LEN];
	struct buf payload;
};

/* One key as the wish has it, but no shorter than 16 octets and no longer than 32. */
static bool draw_key(struct ticket *t, const struct mikey_key *like)
{
	uint8_t octets[KEY_LEN + 14];
	size_t len = like->key_len < 16 ? 16 : like->key_len > KEY_LEN ? KEY_LEN : like->key_len;
	size_t salt_len = like->salt_len > 14 ? 14 : like->salt_len;
	bool done = crypto_random(octets, sizeof(octets)) &&
		    mikey_keys_add(&t->keys, (enum mikey_key_type)like->kind, (struct bytes){ octets, len },
			    (struct bytes){ octets + KEY_LEN, salt_len },
			    (struct bytes){ like->spi, like->spi_len }) != NULL;

	if (len != like->key_len || salt_len != like->salt_len)
		t->policy.flags |= MIKEY_K;
	secret_wipe(octets, sizeof(octets));
	return done;
}

/* The MPK, then what was wished for, else one TGK. */
static bool draw_keys(struct ticket *t)
{
	static const struct mikey_key mpk = { .kind = MIKEY_MPK, .key_len = KEY_LEN };
	static const struct mikey_key tgk = { .kind = MIKEY_TGK, .key_len = KEY_LEN };
	size_t count = t->wanted.count > KEYS_MAX ? KEYS_MAX : t->wanted.count;

	if (count < t->wanted.count)
		t->policy.flags |= MIKEY_K;
	if (!draw_key(t, &mpk) || !crypto_random(t->secret, sizeof(t->secret)) ||
		!crypto_random(t->rand, sizeof(t->rand)))
		return false;
	for (size_t i = 0; i < count; i++)
		if (t->wanted.at[i].kind >= MIKEY_MPK || !draw_key(t, &t->wanted.at[i]))
			return false;
	return count > 0 || draw_key(t, &tgk);
}

/* What is granted of a wish: see authority.h. False: there is nothing to grant. */
static bool grant(const struct authority *a, const struct mikey_asked *q, nsec_t now, struct ticket *t)
{
	const uint16_t wished = t->wish.flags & (uint16_t)~MIKEY_K;
	nsec_t life = a->policy->ticket_life > 0 ? a->policy->ticket_life : 86400 * NSEC_PER_SEC;

	t->policy = t->wish;
	t->policy.type = 1;
	t->policy.subtype = t->policy.version = 1;
	t->policy.flags =
		(wished & (MIKEY_G | MIKEY_H | MIKEY_L | MIKEY_M)) | MIKEY_D | MIKEY_E | MIKEY_F | MIKEY_N | MIKEY_O;
	if ((wished & (MIKEY_G | MIKEY_H)) == 0)
		t->policy.flags |= MIKEY_G | MIKEY_H;
	if (!a->policy->no_forking)
		t->policy.flags |= MIKEY_I;
	t->policy.kms = (struct mikey_name){ MIKEY_URI, bytes_of(a->policy->identity) };
	t->policy.initiator = (struct mikey_name){ q->id_kind, q->id };
	if (t->wish.end == NSEC_NONE || t->wish.end > now + life)
		t->policy.end = now + life;
	if (t->policy.flags != wished || t->wish.type != 1 ||
		(t->wish.end != NSEC_NONE && t->wish.end != t->policy.end))
		t->policy.flags |= MIKEY_K;
	return t->policy.responder_count > 0 && mikey_policy_valid(&t->policy, now) &&
	       (t->wish.initiator.data.len == 0 || authority_same(t->wish.initiator.data, q->id));
}

/* Seals it, and takes MPKi, MPKr and the keys from it as whoever resolves it will. */
static bool seal(const struct authority *a, const struct mikey_asked *q, nsec_t now, struct ticket *t,
	struct mikey_payload *out, struct err *err)
{
	const struct mikey_ticket_new made = { .policy = &t->policy,
		.at = now,
		.rand = { t->rand, sizeof(t->rand) },
		.encr = MIKEY_ENCR_CM_128,
		.mac = q->mac,
		.keys = &t->keys };
	struct mikey_payload inside[MIKEY_PAYLOADS];
	uint8_t octets[32];
	struct bytes tpk = { octets, sizeof(octets) };
	bool done = authority_ticket_key(a, (struct bytes){ t->secret, sizeof(t->secret) }, octets) &&
		    mikey_ticket_seal(&made, tpk, &t->payload, err) &&
		    mikey_inside(buf_bytes(&t->payload), MIKEY_TICKET, inside, err) == 1 &&
		    mikey_ticket_open(&inside[0], tpk, &t->secrets, err);

	if (done)
		*out = inside[0];
	secret_wipe(octets, sizeof(octets));
	return done;
}

static int keep(struct authority *a, const struct mikey_asked *q, const struct ticket *t,
	const struct mikey_payload *ticket, nsec_t now, struct err *err)
{
	const struct bytes secret = { t->secret, sizeof(t->secret) };
	struct buf handle = { 0 }, run = { 0 };
	struct identity caller, called;
	int done = -1;

	authority_mikey_handle(q->m->whole, &handle);
	authority_ticket_run(ticket, &run);
	authority_party(q->id, &caller);
	authority_party(t->policy.responders[0].data, &called);
	if (handle.failed || run.failed)
		err_set(err, "keeping a ticket: out of memory");
	else
		done = authority_keep(a,
			(struct key_record){ .handle = buf_bytes(&handle),
				.run = buf_bytes(&run),
				.a = bytes_of(caller.uri),
				.b = bytes_of(called.uri) },
			KEPT_TICKET, &secret, 1, now, err);
	identity_clear(&caller);
	identity_clear(&called);
	buf_clear(&handle);
	buf_clear(&run);
	return done;
}

static int make(struct authority *a, const struct mikey_asked *q, struct ticket *t, nsec_t now, struct buf *out,
	struct err *err)
{
	const struct mikey_payload *wish = mikey_find(q->m, MIKEY_TP, 0);
	struct mikey_grant answer = { .encr = MIKEY_ENCR_CM_128,
		.mac = q->mac,
		.at = now,
		.secrets = &t->secrets,
		.kms = { MIKEY_URI, bytes_of(a->policy->identity) } };
	struct mikey_payload ticket;

	if (wish == NULL || !mikey_policy_read(wish, &t->wish, &t->wanted, NULL) || !grant(a, q, now, t))
		return MIKEY_INVALID_TPPAR;
	if (t->wish.prf > MIKEY_PRF_SHA256)
		return MIKEY_INVALID_PRF;
	if (!draw_keys(t))
		return err_set(err, "making a ticket: no random octets, or a key that a ticket has not");
	if (!seal(a, q, now, t, &ticket, err) || keep(a, q, t, &ticket, now, err) != 0)
		return -1;
	answer.ticket = buf_bytes(&t->payload);
	return mikey_request_answer(q->m, q->psk, &answer, out, err) ? MIKEY_GIVEN : -1;
}

int authority_request(struct authority *a, const struct mikey_asked *q, nsec_t now, struct buf *out, struct err *err)
{
	struct ticket t = { .wish = { .type = 0 } };
	int verdict = make(a, q, &t, now, out, err);

	buf_clear(&t.payload);
	secret_wipe(&t, sizeof(t));
	return verdict;
}
