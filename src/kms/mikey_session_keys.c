/* mikey_session_keys: the keys of a call's crypto sessions, by who can open its ticket (RFC 6043 5.1, 5.2; TS 33.107 7A.7). */
#include "mikey_make.h"

#define SRTP 0

/* What is put together before any session's key is asked for. */
struct work {
	struct mikey_secrets secrets; /* forked, where that is known; keys sent later behind those of the ticket */
	const struct mikey_call *call;
	const struct mikey *init, *resp; /* of the first exchange; may be NULL */
	uint16_t flags;
	uint8_t ticket_prf, prf;
	struct bytes randi, randr;
	bool forked; /* or no forking is asked for */
	bool verified;
	size_t of_ticket; /* keys that forking concerns */
};

static struct bytes first_of(struct bytes a, struct bytes b)
{
	return a.len > 0 ? a : b;
}

/* Newer keys push the oldest that were sent out, never the ticket's: a call may be re-keyed without end. */
static void keep_sent(struct work *w, const struct mikey_keys *sent)
{
	struct mikey_keys *k = &w->secrets.keys;

	for (size_t i = 0; i < sent->count && w->of_ticket < MIKEY_KEYS; i++) {
		if (k->count == MIKEY_KEYS) {
			struct mikey_key *oldest = &k->at[w->of_ticket];

			memmove(oldest, oldest + 1, (MIKEY_KEYS - w->of_ticket - 1) * sizeof(*oldest));
			k->count--;
		}
		k->at[k->count++] = sent->at[i];
	}
}

/* KEMAC of a message, where there is one: what a transfer carries is never forked. */
static bool take_sent(struct work *w, const struct mikey *m, const struct mikey_source *s, struct err *err)
{
	struct mikey_keys sent;
	bool done;

	if (m == NULL || mikey_find(m, MIKEY_KEMAC, 0) == NULL)
		return true;
	done = mikey_make_open(m, s, &sent, err);
	if (done)
		keep_sent(w, &sent);
	mikey_keys_clear(&sent);
	return done;
}

static bool verify_init(const struct work *w, struct err *err)
{
	const struct mikey_payload *ticket = mikey_find(w->init, MIKEY_TICKET, 0);

	if (!mikey_transfer_verify(w->init, &w->secrets, w->call->known))
		return err_set(err, "TRANSFER_INIT: it does not authenticate") == 0;
	if ((w->flags & MIKEY_I) && !mikey_ticket_initiator(ticket, mikey_key_octets(&w->secrets.mpkr)))
		return err_set(err, "TRANSFER_INIT: Initiator Data is not of who has the ticket's keys") == 0;
	return true;
}

static bool verify_resp(const struct work *w, const struct mikey_secrets *unforked, struct err *err)
{
	struct mikey_secrets forked;
	bool done = mikey_transfer_answered(w->resp, w->init, unforked, &forked, err);

	mikey_secrets_clear(&forked);
	return done;
}

/* By what the answer says, or by what the KMS remembers of its own. */
static bool fork_keys(struct work *w, struct err *err)
{
	struct bytes answered = w->call->answered, rand_kms = w->call->rand_kms;

	w->forked = !(w->flags & MIKEY_I);
	if (w->resp != NULL) {
		answered = first_of(mikey_id_of(w->resp, MIKEY_ID_RESPONDER), answered);
		rand_kms = first_of(mikey_rand_of(w->resp, MIKEY_RAND_KMS), rand_kms);
	}
	if (w->forked || answered.len == 0 || rand_kms.len == 0)
		return true;
	w->forked = mikey_secrets_fork(&w->secrets, w->ticket_prf, answered, rand_kms, &w->secrets);
	return w->forked || err_set(err, "keys: they cannot be forked") == 0;
}

/* All that can be verified is; an answer without the message that its MAC covers cannot. */
static bool take_first(struct work *w, const struct mikey_secrets *unforked, struct err *err)
{
	struct mikey_source s;

	w->verified = w->init != NULL && (w->resp != NULL || !(w->flags & MIKEY_F));
	if (w->init != NULL && !verify_init(w, err))
		return false;
	if (w->init != NULL && w->resp != NULL && !verify_resp(w, unforked, err))
		return false;
	if (!fork_keys(w, err))
		return false;
	if (w->init == NULL)
		return true;
	s = mikey_transfer_source(w->init, NULL, w->flags, &w->secrets);
	if (!take_sent(w, w->init, &s, err))
		return false;
	if (w->resp == NULL)
		return true;
	s = mikey_transfer_source(w->resp, w->init, w->flags, &w->secrets);
	return take_sent(w, w->resp, &s, err);
}

/*
 * Doubt: an update's MAC covers Identity_i and Identity_r, which it may leave out (5.2). Then those of the first exchange are
 * meant, and of the responder the one that answered.
 */
static struct mikey_parties parties_of(const struct work *w)
{
	struct mikey_parties known = w->call->known != NULL ? *w->call->known : (struct mikey_parties){ 0 };

	known.initiator = first_of(mikey_id_of(w->init, MIKEY_ID_INITIATOR), known.initiator);
	known.responder = first_of(mikey_id_of(w->init, MIKEY_ID_RESPONDER), known.responder);
	if (w->resp != NULL)
		known.responder = first_of(mikey_id_of(w->resp, MIKEY_ID_RESPONDER), known.responder);
	return known;
}

static bool take_update(struct work *w, const struct mikey_exchange *e, struct err *err)
{
	const struct mikey_exchange first = { w->init, w->resp };
	struct mikey_parties known;
	struct mikey_source s;

	if (w->init == NULL || e->init == NULL)
		return err_set(err, "update: the TRANSFER_INIT of it, or of the first exchange, is missing") == 0;
	known = parties_of(w);
	if (!mikey_update_verify(e->init, NULL, &first, &w->secrets, &known))
		return err_set(err, "TRANSFER_INIT of an update: it does not authenticate") == 0;
	if (e->resp != NULL && !mikey_update_verify(e->resp, e->init, &first, &w->secrets, &known))
		return err_set(err, "TRANSFER_RESP of an update: it does not authenticate") == 0;
	s = mikey_update_source(&first, &w->secrets);
	return take_sent(w, e->init, &s, err) && take_sent(w, e->resp, &s, err);
}

static bool is_spi(const struct mikey_key *k, const struct mikey_stream *s)
{
	return k->kv == MIKEY_KV_SPI && k->spi_len == s->key.mki_len && memcmp(k->spi, s->key.mki, k->spi_len) == 0;
}

/* The newest key of the session's SPI, else one that any SPI may have, else the only one. */
static const struct mikey_key *key_of(const struct mikey_keys *k, const struct mikey_stream *s)
{
	for (size_t i = k->count; i-- > 0 && s->key.mki_len > 0;)
		if (is_spi(&k->at[i], s))
			return &k->at[i];
	for (size_t i = k->count; i-- > 0 && s->key.mki_len > 0;)
		if (k->at[i].kv != MIKEY_KV_SPI)
			return &k->at[i];
	return s->key.mki_len == 0 && k->count == 1 ? &k->at[0] : NULL;
}

static bool is_tek(const struct mikey_key *k)
{
	return k->kind == MIKEY_TEK || k->kind == MIKEY_TEK_SALT;
}

/* What is missing to derive from k: nothing where a TEK was sent. */
static enum mikey_lack lack_of(const struct work *w, const struct mikey_key *k)
{
	bool of_ticket = (size_t)(k - w->secrets.keys.at) < w->of_ticket;

	if (is_tek(k))
		return MIKEY_KEYED;
	if (of_ticket && !w->forked && (k->kind == MIKEY_TGK || k->kind == MIKEY_TGK_SALT))
		return MIKEY_WANTS_FORK;
	if ((w->flags & MIKEY_H) && w->randi.len == 0)
		return MIKEY_WANTS_RANDI;
	if ((w->flags & MIKEY_G) && w->randr.len == 0)
		return MIKEY_WANTS_RANDR;
	return MIKEY_KEYED;
}

/* Doubt: a TEK without a salt has none that could be derived (RFC 3830 4.1.3 derives from a TGK): it is all zeroes, as SRTP has
 * it where there is none. */
static enum mikey_lack fill(const struct work *w, const struct mikey_key *k, struct mikey_stream *s)
{
	struct mikey_source from = mikey_keys_traffic((enum mikey_prf)w->prf, mikey_key_octets(k), s->cs,
		w->flags & MIKEY_H ? w->randi : (struct bytes){ NULL, 0 },
		w->flags & MIKEY_G ? w->randr : (struct bytes){ NULL, 0 });

	if (s->key_len == 0 || (is_tek(k) && k->key_len != s->key_len) ||
		(k->salt_len > 0 && k->salt_len != s->salt_len))
		return MIKEY_WRONG_LENGTH;
	if (is_tek(k))
		memcpy(s->key.key, k->key, s->key_len);
	else if (!mikey_keys_derive(&from, MIKEY_C_TEK, s->key.key, s->key_len))
		return MIKEY_WRONG_LENGTH;
	if (k->salt_len > 0)
		memcpy(s->key.salt, k->salt, s->salt_len);
	else if (!is_tek(k) && !mikey_keys_derive(&from, MIKEY_C_TGK_SALT, s->key.salt, s->salt_len))
		return MIKEY_WRONG_LENGTH;
	return MIKEY_KEYED;
}

static void key_stream(const struct work *w, struct mikey_stream *s)
{
	const struct mikey_key *k = key_of(&w->secrets.keys, s);

	if (s->protocol != SRTP) {
		s->lack = MIKEY_NOT_SRTP;
		return;
	}
	s->lack = k != NULL ? lack_of(w, k) : MIKEY_NO_SUCH_KEY;
	if (s->lack != MIKEY_KEYED)
		return;
	s->lack = fill(w, k, s);
	s->key.source = KEY_KMS;
	if (s->key.mki_len == 0 && k->spi_len <= MKI_MAX) {
		s->key.mki_len = k->spi_len;
		memcpy(s->key.mki, k->spi, k->spi_len);
	}
}

/* Where no message has a map: sessions with SRTP's defaults. */
static size_t default_sessions(const struct mikey_call *call, struct mikey_stream *out)
{
	size_t count = call->sessions < MIKEY_STREAMS ? call->sessions : MIKEY_STREAMS;

	for (size_t i = 0; i < count; i++) {
		memset(&out[i], 0, sizeof(out[i]));
		out[i].cs = (uint8_t)(i + 1);
		mikey_suite_read((struct bytes){ NULL, 0 }, &out[i].key, &out[i].key_len, &out[i].salt_len);
	}
	return count;
}

static bool take_exchanges(struct work *w, const struct mikey_secrets *s, struct err *err)
{
	if (!take_first(w, s, err))
		return false;
	for (size_t i = 1; i < w->call->count; i++)
		if (!take_update(w, &w->call->exchanges[i], err))
			return false;
	return true;
}

bool mikey_session_keys(const struct mikey_secrets *s, const struct mikey_call *call,
	struct mikey_stream out[MIKEY_STREAMS], size_t *count, bool *verified, struct err *err)
{
	const struct mikey_exchange none = { NULL, NULL }, *first = call->count > 0 ? &call->exchanges[0] : &none;
	const struct mikey_payload *ticket = first->init != NULL ? mikey_find(first->init, MIKEY_TICKET, 0) : NULL;
	struct work w = { .secrets = *s, .call = call, .init = first->init, .resp = first->resp };
	bool done;

	if (ticket == NULL)
		ticket = call->ticket;
	*count = 0;
	*verified = false;
	if (ticket == NULL || call->count > MIKEY_EXCHANGES) {
		mikey_secrets_clear(&w.secrets);
		return err_set(err, "keys: there is no ticket, or there are too many exchanges") == 0;
	}
	w.flags = ticket->ticket.flags;
	w.ticket_prf = ticket->ticket.prf;
	w.prf = w.init != NULL ? w.init->prf : w.resp != NULL ? w.resp->prf : ticket->ticket.prf;
	w.of_ticket = s->keys.count;
	w.randi = w.init != NULL ? mikey_rand_of(w.init, MIKEY_RAND_INITIATOR) : call->randi;
	w.randr = w.resp != NULL ? mikey_rand_of(w.resp, MIKEY_RAND_RESPONDER) : call->randr;
	done = take_exchanges(&w, s, err);
	if (done) {
		*count = mikey_read_sessions(call->exchanges, call->count, out);
		if (*count == 0)
			*count = mikey_read_sessions(call->claimed, call->claimed_count, out);
		*count = *count > 0 ? *count : default_sessions(call, out);
		*verified = w.verified;
	}
	for (size_t i = 0; i < *count; i++)
		key_stream(&w, &out[i]);
	mikey_secrets_clear(&w.secrets);
	return done;
}
