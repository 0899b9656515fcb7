/* msg_key: keys that are wanted, and what became of it. */
#include "msg_parts.h"

/* Suite, source, key and salt. */
static void put_material(struct buf *out, const struct srtp_key *k)
{
	uint8_t *at = put_room(out, 2 + sizeof(k->key) + sizeof(k->salt));

	if (at == NULL)
		return;
	at[0] = (uint8_t)k->suite;
	at[1] = (uint8_t)k->source;
	memcpy(at + 2, k->key, sizeof(k->key));
	memcpy(at + 2 + sizeof(k->key), k->salt, sizeof(k->salt));
}

static void get_material(struct octets *in, struct srtp_key *k)
{
	const uint8_t *at;

	*k = (struct srtp_key){ .suite = (enum srtp_suite)get_among(in, 0, SUITES) };
	k->source = (enum key_source)get_among(in, 0, KEY_FILE + 1);
	at = get_octets(in, sizeof(k->key) + sizeof(k->salt));
	if (at == NULL)
		return;
	memcpy(k->key, at, sizeof(k->key));
	memcpy(k->salt, at + sizeof(k->key), sizeof(k->salt));
}

void put_given(struct buf *out, const struct key_given *k)
{
	put_u32(out, k->call);
	put_u32(out, k->line);
	put_u8(out, k->chosen);
	put_addr(out, &k->sender);
	put_u8(out, k->toward);
	put_addr(out, &k->src);
	put_addr(out, &k->dst);
	put_u8(out, k->ssrc_set);
	put_u32(out, k->ssrc);
	put_material(out, &k->key);
	put_u8(out, k->key.mki_len);
	buf_add(out, k->key.mki, k->key.mki_len);
	put_u8(out, k->key.unencrypted_srtp);
	put_u8(out, k->key.unencrypted_srtcp);
	put_u8(out, k->key.unauthenticated_srtp);
}

void get_given(struct octets *in, struct key_given *k)
{
	const uint8_t *mki;

	k->call = get_u32(in);
	k->line = get_u32(in);
	k->chosen = get_bool(in);
	k->sender = get_addr(in);
	k->toward = (enum toward)get_among(in, 0, TOWARD_CALLEE + 1);
	k->src = get_addr(in);
	k->dst = get_addr(in);
	k->ssrc_set = get_bool(in);
	k->ssrc = get_u32(in);
	get_material(in, &k->key);
	k->key.mki_len = (uint8_t)get_among(in, 0, MKI_MAX + 1);
	mki = get_octets(in, k->key.mki_len);
	if (mki != NULL)
		memcpy(k->key.mki, mki, k->key.mki_len);
	k->key.unencrypted_srtp = get_bool(in);
	k->key.unencrypted_srtcp = get_bool(in);
	k->key.unauthenticated_srtp = get_bool(in);
}

bool msg_put_key_wanted(struct buf *out, const struct key_wanted *w)
{
	size_t from = out->len;
	struct key_wanted copy = *w;

	put_u64(out, w->number);
	put_u32(out, w->call);
	put_u32(out, w->line);
	put_u32(out, w->warrant);
	put_nsec(out, w->at);
	put_u8(out, w->protocol);
	for (size_t i = 0; i < KEY_WANTED_VIEWS; i++)
		put_bytes(out, *key_wanted_view(&copy, i));
	return put_end(out, from, true);
}

bool msg_get_key_wanted(struct bytes in, struct key_wanted *w)
{
	struct octets o = octets_of(in);

	*w = (struct key_wanted){ .number = get_u64(&o) };
	w->call = get_u32(&o);
	w->line = get_u32(&o);
	w->warrant = get_u32(&o);
	w->at = get_nsec(&o);
	w->protocol = (enum key_mgmt)get_among(&o, 0, KEY_MGMT_OTWAY_REES + 1);
	for (size_t i = 0; i < KEY_WANTED_VIEWS; i++)
		*key_wanted_view(w, i) = get_bytes(&o);
	return get_end(&o);
}

static void put_tried(struct buf *out, const struct kms_tried *t)
{
	put_u8(out, t->origin);
	put_text(out, t->kms);
	put_u8(out, t->outcome);
}

static void get_tried(struct octets *in, struct kms_tried *t)
{
	t->origin = (enum kms_origin)get_among(in, 0, KMS_ORIGINS);
	get_chars(in, t->kms, sizeof(t->kms));
	t->outcome = (enum seal_reason)get_among(in, 0, SEAL_REASONS);
}

bool msg_put_key_answer(struct buf *out, const struct key_answer *a)
{
	size_t from = out->len;

	put_u64(out, a->number);
	put_u32(out, a->call);
	put_u32(out, a->line);
	put_nsec(out, a->at);
	put_text(out, a->request);
	put_u8(out, a->reason);
	put_u8(out, a->mismatch);
	put_u32(out, (uint32_t)a->tried_count);
	for (size_t i = 0; i < a->tried_count; i++)
		put_tried(out, &a->tried[i]);
	put_u32(out, (uint32_t)a->key_count);
	for (size_t i = 0; i < a->key_count; i++)
		put_given(out, &a->keys[i]);
	return put_end(out, from, true);
}

bool msg_get_key_answer(struct bytes in, struct key_answer *a)
{
	struct octets o = octets_of(in);

	memset(a, 0, sizeof(*a));
	a->number = get_u64(&o);
	a->call = get_u32(&o);
	a->line = get_u32(&o);
	a->at = get_nsec(&o);
	get_chars(&o, a->request, sizeof(a->request));
	a->reason = (enum seal_reason)get_among(&o, 0, SEAL_REASONS);
	a->mismatch = get_bool(&o);
	a->tried_count = get_count(&o, KEY_CANDIDATES, 7);
	for (size_t i = 0; i < a->tried_count; i++)
		get_tried(&o, &a->tried[i]);
	a->key_count = get_count(&o, KEY_SESSIONS, 76);
	for (size_t i = 0; i < a->key_count; i++)
		get_given(&o, &a->keys[i]);
	if (get_end(&o))
		return true;
	key_answer_clear(a);
	return false;
}
