/* keys_say: what keys_next hands out: requests written, outcomes told, answers put together. */
#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/text.h"

#include "keys_parts.h"

/* A party that is too long to be sent is left out. */
static struct bytes fitting(struct bytes text, size_t max)
{
	return text.len <= max ? text : (struct bytes){ NULL, 0 };
}

static void fill(const struct asking *a, const struct warrant *warrant, struct xk_request *out)
{
	const struct key_wanted *w = &a->wanted;

	*out = (struct xk_request){
		.warrant = bytes_of(warrant != NULL ? warrant->liid : NULL),
		.kms = bytes_of(a->candidates[a->at].identity),
		/* of a tel: URI's user the SIP URI, where one is asserted: users of a KMS are known by what they sign in as */
		.target = w->target_sip.len > 0 ? w->target_sip : w->target,
		.from = fitting(w->from, XK_TEXT_MAX),
		.to = fitting(w->to, XK_TEXT_MAX),
		.answered = fitting(w->answered, XK_TEXT_MAX),
		.call_id = fitting(w->call_id, XK_TEXT_MAX),
		.from_tag = fitting(w->from_tag, XK_TEXT_MAX),
		.to_tag = fitting(w->to_tag, XK_TEXT_MAX),
		.at = w->at,
		.protocol = w->protocol,
		.offer = fitting(w->offer, KEY_TOKEN_MAX),
		.answer = fitting(w->answer, KEY_TOKEN_MAX),
		.first_offer = fitting(w->first_offer, KEY_TOKEN_MAX),
		.first_answer = fitting(w->first_answer, KEY_TOKEN_MAX),
	};
	text_copy(bytes_of(a->request), out->request, sizeof(out->request));
}

static bool write_body(struct keys *k, const struct asking *a)
{
	const struct warrant *warrant = warrant_find(k->warrants, a->wanted.warrant);
	struct xk_request r;

	buf_clear(&k->body);
	fill(a, warrant, &r);
	if (a->ended)
		return xk_write_ended(&r, &k->body, NULL) == 0;
	return warrant != NULL && xk_write_request(&r, &k->body, NULL) == 0;
}

static void trace(const struct keys *k, const struct asking *a, const char *act, struct keys_out *out)
{
	out->kind = KEYS_TRACE;
	out->act = act;
	out->request = k->request;
	out->warrant = a->wanted.warrant;
	out->call = a->wanted.call;
	out->agreement_number = a->candidates[a->at < a->candidate_count ? a->at : 0].agreement;
}

static bool say_outcome(struct keys *k, struct asking *a, struct keys_out *out)
{
	const char *reason = seal_reason_text(a->said);

	trace(k, a, "key-answer", out);
	out->agreement_number = a->said_by;
	out->outcome = a->said == SEAL_NONE ? "keys" : reason != NULL ? reason : "dropped";
	return true;
}

/* Nobody is told of, and nobody gets, what cannot be asked: without an agreement or a warrant any more, or not to be written. */
static bool may_be_asked(struct keys *k, struct asking *a)
{
	if (keys_ask_agreement(k, a) == NULL) {
		keys_ask_pass_over(k, a, k->now);
		return false;
	}
	if (write_body(k, a))
		return true;
	keys_ask_finish(
		k, a, warrant_find(k->warrants, a->wanted.warrant) == NULL ? SEAL_NO_KEY : SEAL_KMS_UNREACHABLE);
	keys_ask_release(k, a->peer, k->now);
	return false;
}

static bool say_request(struct keys *k, struct asking *a, struct keys_out *out)
{
	if (!may_be_asked(k, a))
		return false;
	a->told = true;
	trace(k, a, a->ended ? "call-ended" : "key-request", out);
	return true;
}

static bool say_send(struct keys *k, struct asking *a, struct keys_out *out)
{
	if (!may_be_asked(k, a))
		return false;
	a->asked_before = a->asked;
	a->asked = true;
	k->counts[KEYS_ASKED] += !a->ended;
	out->kind = KEYS_SEND;
	out->request = k->request;
	out->exchange = a->exchange;
	out->agreement = keys_ask_agreement(k, a);
	out->path = a->ended ? XK_ENDED_PATH : XK_KEYS_PATH;
	out->body = buf_bytes(&k->body);
	out->timeout = keys_ask_timeout(k, a);
	return true;
}

static bool say_answer(struct keys *k, struct asking *a, struct keys_out *out)
{
	if (a->answer != NULL) {
		k->answer = *a->answer;
		secret_free(a->answer, sizeof(*a->answer));
		a->answer = NULL;
	}
	k->answer.number = a->wanted.number;
	k->answer.call = a->wanted.call;
	k->answer.line = a->wanted.line;
	k->answer.at = k->now;
	k->answer.reason = a->reason;
	if (a->asked)
		memcpy(k->answer.request, a->request, sizeof(k->answer.request));
	for (size_t i = 0; i < a->tried; i++) {
		struct kms_tried *t = &k->answer.tried[k->answer.tried_count++];

		t->origin = a->candidates[i].origin;
		t->outcome = a->candidates[i].outcome;
		memcpy(t->kms, a->candidates[i].identity, sizeof(t->kms));
	}
	out->kind = KEYS_ANSWER;
	out->answer = &k->answer;
	return true;
}

static bool say(struct keys *k, struct asking *a, struct keys_out *out)
{
	static const struct {
		unsigned what;
		bool (*say)(struct keys *k, struct asking *a, struct keys_out *out);
	} all[] = { { SAY_OUTCOME, say_outcome }, { SAY_REQUEST, say_request }, { SAY_SEND, say_send },
		{ SAY_ANSWER, say_answer } };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if ((a->say & all[i].what) != 0) {
			a->say &= ~all[i].what;
			return all[i].say(k, a, out);
		}
	return false;
}

bool keys_next(struct keys *k, struct keys_out *out)
{
	bool said = false;

	memset(out, 0, sizeof(*out));
	key_answer_clear(&k->answer);
	buf_clear(&k->body);
	while (!said && !keys_link_alone(&k->saying)) {
		struct asking *a = ASKING_OF(k->saying.next, saying);

		memcpy(k->request, a->request, sizeof(k->request));
		said = say(k, a, out);
		if (a->say != 0)
			continue;
		keys_link_drop(&a->saying);
		if (a->state == ASKING_DONE && (a->ended || a->dropped || !a->asked))
			keys_asking_free(k, a);
	}
	return said;
}
