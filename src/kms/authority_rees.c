/* authority: message 2 of Otway-Rees is judged, and answered with message 3 or the error of message 5. */
#include "authority_parts.h"

#include "otway/base/crypto.h"
#include "otway/base/secret.h"
#include "otway/otway_rees.h"

struct asked {
	struct or_message m;
	struct bytes whole;
	uint8_t key_a[OR_KEY], key_r[OR_KEY];
	struct or_sealed of_a, of_r;
	uint8_t root[OR_KEY], nr[OR_NONCE];
	bool root_known, leg_known;
};

#define GIVEN 0 /* else an enum or_error, or -1: nothing can be answered */

static const char *outcome_text(int verdict)
{
	static const char *const texts[] = { "given", "unknown-user", "not-authenticated", "not-authorised", "replayed",
		"malformed" };

	return verdict < 0 ? "failed" : texts[verdict];
}

void authority_rees_run(struct bytes m, struct buf *out)
{
	buf_text(out, "O");
	buf_add(out, m.at, m.len);
}

void authority_rees_handle(struct bytes m, struct bytes r, struct buf *out)
{
	struct identity id;

	authority_rees_run(m, out);
	if (authority_party(r, &id))
		buf_text(out, id.uri);
	identity_clear(&id);
}

bool authority_rees_leg(const struct kept *k, struct rees_leg *out)
{
	struct bytes s = authority_kept(k);

	if (k->secret.len < 1 + OR_KEY + 2 * OR_NONCE || k->secret.at[0] != KEPT_REES)
		return false;
	out->root = s.at;
	out->na = bytes_part(s, OR_KEY, OR_NONCE);
	out->nr = bytes_part(s, OR_KEY + OR_NONCE, OR_NONCE);
	out->request = bytes_part(s, OR_KEY + 2 * OR_NONCE, SIZE_MAX);
	return true;
}

/* The envelope of a user, opened with the key that the user shares with us. */
static int authenticate(struct authority *a, struct asked *q, uint8_t type, struct bytes id, struct bytes envelope,
	uint8_t key[OR_KEY], struct or_sealed *out)
{
	const struct kms_user *user = authority_user_of(a, id);

	if (user == NULL)
		return OR_UNKNOWN_USER;
	if (!or_envelope_key((struct bytes){ user->psk, user->psk_len }, q->m.m, id, key))
		return -1;
	return or_open(&q->m, key, type, envelope, out) ? GIVEN : OR_AUTHENTICATION;
}

/* Who they are, that the offer is what A made, and that R may answer it. */
static int judge(struct authority *a, struct asked *q)
{
	uint8_t p[SHA256_LEN];
	int verdict;

	if (!authority_is_us(a, q->m.kms))
		return OR_UNKNOWN_USER;
	verdict = authenticate(a, q, 2, q->m.r, q->m.envelope_r, q->key_r, &q->of_r);
	if (verdict == GIVEN)
		verdict = authenticate(a, q, 1, q->m.a, q->m.envelope_a, q->key_a, &q->of_a);
	if (verdict != GIVEN)
		return verdict;
	sha256_of(q->m.policy_octets, p);
	if (!secret_equal(p, q->of_a.p, sizeof(p)))
		return OR_AUTHENTICATION;
	return authority_may_answer(a, q->m.r, q->m.b) ? GIVEN : OR_NOT_AUTHORISED;
}

/* A run is what it was when its first leg was made: of the same A and B, by the same message of A. */
static bool same_run(const struct asked *q, const struct rees_leg *leg)
{
	struct or_message first;

	return or_read(leg->request, &first, NULL) == 0 && bytes_equal(first.a, q->m.a) &&
	       bytes_equal(first.b, q->m.b) && leg->na.len == OR_NONCE &&
	       memcmp(leg->na.at, q->of_a.nonce, OR_NONCE) == 0;
}

/* What was kept of the leg, or else of the run. */
static int recall_leg(struct asked *q, const struct kept_list *list, bool of_leg)
{
	struct rees_leg leg;

	if (list->purged)
		return OR_REPLAYED;
	if (list->count == 0)
		return GIVEN;
	if (!authority_rees_leg(&list->at[list->count - 1], &leg) || !same_run(q, &leg))
		return OR_REPLAYED;
	memcpy(q->root, leg.root, OR_KEY);
	q->root_known = true;
	if (of_leg) {
		memcpy(q->nr, leg.nr.at, OR_NONCE);
		q->leg_known = true;
	}
	return GIVEN;
}

static int recall(struct authority *a, struct asked *q, nsec_t now, struct err *err)
{
	struct kept_list list = { .count = 0 };
	struct buf key = { 0 };
	int verdict = -1;

	authority_rees_handle(q->m.m, q->m.r, &key);
	if (key.failed)
		err_set(err, "recalling keys: out of memory");
	else if (authority_recall(a, &(struct key_record){ .handle = buf_bytes(&key) }, now, &list, err) == 0)
		verdict = recall_leg(q, &list, true);
	authority_forget(&list);
	if (verdict == GIVEN && !q->leg_known) {
		buf_reset(&key);
		authority_rees_run(q->m.m, &key);
		verdict = -1;
		if (authority_recall(a, &(struct key_record){ .run = buf_bytes(&key) }, now, &list, err) == 0)
			verdict = recall_leg(q, &list, false);
		authority_forget(&list);
	}
	buf_clear(&key);
	return verdict;
}

/* Draws what is not there yet, and keeps it. */
static int keep(struct authority *a, struct asked *q, nsec_t now, struct err *err)
{
	const struct bytes parts[] = { { q->root, OR_KEY }, { q->of_a.nonce, OR_NONCE }, { q->nr, OR_NONCE },
		q->whole };
	struct buf handle = { 0 }, run = { 0 };
	struct identity ids[3];
	int done = -1;

	if (q->leg_known)
		return 0;
	if ((!q->root_known && !crypto_random(q->root, OR_KEY)) || !crypto_random(q->nr, OR_NONCE))
		return err_set(err, "making a key: the system gives no random octets");
	authority_rees_handle(q->m.m, q->m.r, &handle);
	authority_rees_run(q->m.m, &run);
	authority_party(q->m.a, &ids[0]);
	authority_party(q->m.b, &ids[1]);
	authority_party(q->m.r, &ids[2]);
	if (handle.failed || run.failed)
		err_set(err, "keeping a key: out of memory");
	else
		done = authority_keep(a,
			(struct key_record){ .handle = buf_bytes(&handle),
				.run = buf_bytes(&run),
				.call_id = q->m.call_id,
				.a = bytes_of(ids[0].uri),
				.b = bytes_of(ids[1].uri),
				.r = bytes_of(ids[2].uri) },
			KEPT_REES, parts, 4, now, err);
	for (int i = 0; i < 3; i++)
		identity_clear(&ids[i]);
	buf_clear(&handle);
	buf_clear(&run);
	return done;
}

/* Message 3. */
static int give(struct asked *q, struct buf *out, struct err *err)
{
	struct or_sealed s = { .type = 3, .r_len = q->m.r.len };
	struct buf for_a = { 0 }, for_r = { 0 };
	struct or_message m = q->m;
	int done = -1;

	m.type = OR_RESPONSE;
	m.nr = (struct bytes){ q->nr, OR_NONCE };
	memcpy(s.r, m.r.at, m.r.len);
	memcpy(s.nr, q->nr, OR_NONCE);
	memcpy(s.nonce, q->of_a.nonce, OR_NONCE);
	if (or_leg_key(q->root, m.nr, m.r, s.k) && or_seal(&m, q->key_a, &s, &for_a)) {
		s.type = 4;
		memcpy(s.nonce, q->of_r.nonce, OR_NONCE);
		if (or_seal(&m, q->key_r, &s, &for_r)) {
			m.envelope_a = buf_bytes(&for_a);
			m.envelope_r = buf_bytes(&for_r);
			done = or_write(&m, out, err);
		}
	}
	if (done != 0)
		err_set(err, "Otway-Rees: message 3 cannot be made");
	secret_wipe(&s, sizeof(s));
	buf_clear(&for_a);
	buf_clear(&for_r);
	return done;
}

/* Message 5, for what can be read of the run. */
static int refuse(struct bytes in, enum or_error error, struct buf *out, struct err *err)
{
	static const uint8_t none[OR_NONCE];
	struct bytes m = bytes_part(in, 4, OR_NONCE);
	struct or_message answer = {
		.type = OR_ERROR, .m = m.len == OR_NONCE ? m : (struct bytes){ none, OR_NONCE }, .error = (uint8_t)error
	};

	return or_write(&answer, out, err);
}

int authority_rees(
	struct authority *a, struct bytes in, nsec_t now, struct buf *out, const char **outcome, struct err *err)
{
	struct asked q = { .whole = in };
	int verdict = OR_MALFORMED;

	if (or_read(in, &q.m, NULL) == 0 && q.m.type == OR_REQUEST) {
		verdict = judge(a, &q);
		if (verdict == GIVEN)
			verdict = recall(a, &q, now, err);
		if (verdict == GIVEN)
			verdict = keep(a, &q, now, err);
		if (verdict == GIVEN)
			verdict = give(&q, out, err);
	}
	secret_wipe(&q, sizeof(q));
	*outcome = outcome_text(verdict);
	return verdict > GIVEN ? refuse(in, (enum or_error)verdict, out, err) : verdict;
}
