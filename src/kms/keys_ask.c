/* keys_ask: the way of an asking, from candidate to candidate, from try to try, to its end. */
#include <stdlib.h>

#include "otway/base/secret.h"

#include "keys_parts.h"

#define REST_FIRST (NSEC_PER_SEC / 4)
#define REST_MAX   (8 * NSEC_PER_SEC)
#define LATER_MAX  10           /* times patience */
#define GRACE      NSEC_PER_SEC /* behind a time-out that nobody reported */

/* What came of an exchange. */
enum verdict { GAVE_KEYS, SAID_UNKNOWN, SAID_NO, TOLD, LATER, FAILED, UNTRUSTED };

void keys_ask_say(struct keys *k, struct asking *a, unsigned what)
{
	if (a->say == 0)
		keys_link_last(&k->saying, &a->saying);
	a->say |= what;
}

nsec_t keys_ask_timeout(const struct keys *k, const struct asking *a)
{
	return k->o.timeout << (a->tries < 2 ? a->tries : 2);
}

const struct kms_agreement *keys_ask_agreement(const struct keys *k, const struct asking *a)
{
	const struct keys_candidate *c = &a->candidates[a->at];

	for (size_t i = 0; c->agreement != 0 && k->agreements != NULL && i < k->agreements->count; i++)
		if (k->agreements->all[i].number == c->agreement)
			return &k->agreements->all[i];
	return NULL;
}

/* Gives up the exchange, if there is one. */
static void end_exchange(struct keys *k, struct asking *a)
{
	if (a->state != ASKING_OUT)
		return;
	a->say &= ~(unsigned)(SAY_REQUEST | SAY_SEND);
	a->peer->under_way--;
	table_take(k->exchanges, (struct bytes){ (const uint8_t *)&a->exchange, sizeof(a->exchange) });
	a->state = ASKING_REST;
}

static void outcome(struct keys *k, struct asking *a, enum seal_reason reason)
{
	a->candidates[a->at].outcome = reason;
	a->tried = a->at + 1;
	if (!a->told)
		return;
	a->said = reason;
	a->said_by = a->candidates[a->at].agreement;
	a->told = false;
	keys_ask_say(k, a, SAY_OUTCOME);
}

static void settle(struct keys *k, struct asking *a)
{
	end_exchange(k, a);
	keys_link_drop(&a->queue);
	keys_timer_set(k, a, NSEC_NONE);
	a->state = ASKING_DONE;
	keys_link_last(&k->kept, &a->order);
	if (a->ended)
		return;
	k->waiting_count--;
	k->waiting_octets -= a->octets;
}

void keys_ask_finish(struct keys *k, struct asking *a, enum seal_reason reason)
{
	if (a->state == ASKING_DONE)
		return;
	settle(k, a);
	if (a->ended) {
		keys_ask_say(k, a, 0);
		return;
	}
	if (reason != SEAL_NO_KEY && a->at < a->candidate_count && a->candidates[a->at].outcome == SEAL_NONE)
		outcome(k, a, a->answer != NULL ? SEAL_NONE : reason);
	a->reason = reason;
	k->counts[reason == SEAL_NONE ? KEYS_ANSWERED : KEYS_REFUSED]++;
	keys_ask_say(k, a, SAY_ANSWER);
}

void keys_ask_drop(struct keys *k, struct asking *a)
{
	if (a->state == ASKING_DONE)
		return;
	settle(k, a);
	k->counts[KEYS_DROPPED]++;
	a->dropped = true;
	if (a->told)
		outcome(k, a, KEYS_SAID_DROPPED);
	keys_ask_say(k, a, 0);
}

static void start(struct keys *k, struct asking *a, nsec_t now)
{
	a->exchange = ++k->exchange;
	if (!table_put(k->exchanges, (struct bytes){ (const uint8_t *)&a->exchange, sizeof(a->exchange) }, a)) {
		keys_ask_finish(k, a, SEAL_KMS_UNREACHABLE);
		return;
	}
	a->state = ASKING_OUT;
	a->peer->under_way++;
	keys_timer_set(k, a, now + keys_ask_timeout(k, a) + GRACE);
	keys_ask_say(k, a, a->told ? SAY_SEND : SAY_REQUEST | SAY_SEND);
}

static void submit(struct keys *k, struct asking *a, nsec_t now)
{
	a->peer = keys_peer_of(k, a->candidates[a->at].agreement);
	if (a->peer == NULL) {
		keys_ask_finish(k, a, SEAL_KMS_UNREACHABLE);
	} else if (!keys_peer_waits(a->peer) && keys_peer_free(a->peer, now)) {
		start(k, a, now);
	} else {
		a->state = ASKING_HELD;
		keys_link_last(a->ended ? &a->peer->ends : &a->peer->queue, &a->queue);
		keys_timer_set(k, a, a->deadline);
	}
}

void keys_ask_release(struct keys *k, struct keys_peer *p, nsec_t now)
{
	while (p != NULL && keys_peer_waits(p) && keys_peer_free(p, now)) {
		struct keys_link *first = keys_link_alone(&p->queue) ? p->ends.next : p->queue.next;
		struct asking *a = ASKING_OF(first, queue);

		keys_link_drop(&a->queue);
		start(k, a, now);
	}
}

/* Every candidate was asked or passed over: the first had the best claim to the keys. */
static enum seal_reason nobody_gave(const struct asking *a)
{
	return a->candidate_count > 0 ? a->candidates[0].outcome : SEAL_KMS_UNKNOWN;
}

void keys_ask_advance(struct keys *k, struct asking *a, nsec_t now)
{
	for (; a->at < a->candidate_count; a->at++) {
		if (keys_ask_agreement(k, a) != NULL) {
			submit(k, a, now);
			return;
		}
		outcome(k, a, SEAL_KMS_NO_AGREEMENT);
	}
	keys_ask_finish(k, a, nobody_gave(a));
}

void keys_ask_pass_over(struct keys *k, struct asking *a, nsec_t now)
{
	struct keys_peer *p = a->peer;

	end_exchange(k, a);
	if (a->ended) {
		keys_ask_finish(k, a, SEAL_NONE);
	} else {
		outcome(k, a, SEAL_KMS_NO_AGREEMENT);
		a->at++;
		keys_ask_advance(k, a, now);
	}
	keys_ask_release(k, p, now);
}

void keys_ask_tell(struct keys *k, struct asking *a, nsec_t now)
{
	a->ended = true;
	a->told = false;
	a->tries = 0;
	a->deadline = now + k->o.patience;
	a->limit = now + LATER_MAX * k->o.patience;
	keys_link_last(&k->ending, &a->order);
	if (keys_ask_agreement(k, a) != NULL)
		submit(k, a, now);
	else
		keys_ask_say(k, a, 0);
}

/* Tries again, not before `after`. */
static void rest(struct keys *k, struct asking *a, nsec_t after, nsec_t now)
{
	nsec_t delay = REST_FIRST << (a->tries < 5 ? a->tries : 5), at;

	a->tries++;
	k->counts[KEYS_RETRIED]++;
	at = now + after + keys_peer_jitter(k, delay < REST_MAX ? delay : REST_MAX);
	if (after > 0 && at + k->o.timeout > a->deadline)
		a->deadline = at + k->o.timeout < a->limit ? at + k->o.timeout : a->limit;
	a->state = ASKING_REST;
	keys_timer_set(k, a, at < a->deadline ? at : a->deadline);
}

void keys_ask_time(struct keys *k, struct asking *a, nsec_t now)
{
	struct keys_peer *p = a->peer;

	if (a->state == ASKING_OUT) {
		const struct keys_reply nothing = { .exchange = a->exchange, .trusted = true };

		keys_ask_reply(k, a, &nothing, now);
	} else if (now >= a->deadline) {
		keys_ask_finish(k, a, SEAL_KMS_UNREACHABLE);
	} else {
		submit(k, a, now);
	}
	keys_ask_release(k, p, now);
}

static bool keep_keys(struct asking *a, const struct xk_answer *answer)
{
	struct key_answer *out = calloc(1, sizeof(*out));

	if (out != NULL && keys_given(&a->wanted, answer, out)) {
		a->answer = out;
		return true;
	}
	secret_free(out, sizeof(*out));
	return false;
}

static enum verdict judge_answer(struct asking *a, const struct xk_answer *answer, enum seal_reason *reason)
{
	if (strcmp(answer->request, a->request) != 0)
		return FAILED;
	switch (answer->failure) {
	case XK_NONE:
		return keep_keys(a, answer) ? GAVE_KEYS : FAILED;
	case XK_UNKNOWN:
		return SAID_UNKNOWN;
	case XK_TRY_LATER:
		return LATER;
	default:
		*reason = answer->failure == XK_PURGED         ? SEAL_KEY_PURGED
			  : answer->failure == XK_NO_AGREEMENT ? SEAL_KMS_NO_AGREEMENT
							       : SEAL_KMS_REFUSED;
		return SAID_NO;
	}
}

static enum verdict judge_ended(const struct asking *a, struct bytes body)
{
	char request[KEY_REQUEST_ID];
	uint64_t purged;

	return xk_read_purged(body, request, &purged, NULL) == 0 && strcmp(request, a->request) == 0 ? TOLD : FAILED;
}

static enum verdict judge(struct asking *a, const struct keys_reply *r, enum seal_reason *reason, nsec_t *after)
{
	struct xk_answer answer;
	enum verdict v = FAILED;

	*reason = r->trusted ? SEAL_KMS_REFUSED : SEAL_KMS_UNREACHABLE;
	*after = 0;
	if (!r->trusted)
		return UNTRUSTED;
	if (r->status == 400 || r->status == 403)
		return SAID_NO;
	if (r->status != 200)
		return FAILED;
	if (a->ended)
		return judge_ended(a, r->body);
	if (xk_read_answer(r->body, &answer, NULL) == 0) {
		v = judge_answer(a, &answer, reason);
		*after = (nsec_t)answer.retry_after * NSEC_PER_SEC;
	}
	xk_answer_clear(&answer);
	return v;
}

static void act_on(struct keys *k, struct asking *a, enum verdict v, enum seal_reason reason, nsec_t after, nsec_t now)
{
	switch (v) {
	case GAVE_KEYS:
		k->counts[KEYS_MISMATCHES] += a->answer->mismatch;
		keys_ask_finish(k, a, a->answer->reason);
		break;
	case SAID_UNKNOWN:
		outcome(k, a, SEAL_KMS_UNKNOWN);
		a->at++;
		a->tries = 0;
		keys_ask_advance(k, a, now);
		break;
	case SAID_NO:
	case UNTRUSTED:
	case TOLD:
		keys_ask_finish(k, a, reason);
		break;
	case LATER:
	case FAILED:
		rest(k, a, after, now);
		break;
	}
}

void keys_ask_reply(struct keys *k, struct asking *a, const struct keys_reply *r, nsec_t now)
{
	struct keys_peer *p = a->peer;
	enum seal_reason reason;
	nsec_t after;
	enum verdict v = judge(a, r, &reason, &after);

	end_exchange(k, a);
	if (v != FAILED && v != UNTRUSTED)
		p->failures = 0;
	else if (keys_peer_failed(p, now))
		k->counts[KEYS_CIRCUIT_OPENED]++;
	act_on(k, a, v, reason, after, now);
	keys_ask_release(k, p, now);
}
