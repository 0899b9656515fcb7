/* ask: the keys client between the pipeline, the network and the audit trail. */
#include "ask.h"

#include <stdlib.h>

#include "otway/exchanges.h"
#include "otway/keys.h"
#include "otway/loop.h"

#define LOOK_EVERY (NSEC_PER_SEC / 4) /* at who interrupts */

struct ask {
	struct cli *c;
	struct kms_agreements agreements;
	struct keys *keys;
	struct loop *loop;
	struct exchanges *exchanges;
};

static void on_replied(void *arg)
{
	loop_stop(((struct ask *)arg)->loop);
}

/* Files of ours that cannot be used are told once; the KMS counts as one that is not to be believed. */
static void on_trouble(void *arg, uint32_t agreement, enum exchanges_trouble t, const char *why)
{
	const struct ask *a = arg;

	if (t == EXCHANGES_FILES)
		output_note(a->c, "the KMS of agreement %u cannot be asked: %s", (unsigned int)agreement, why);
}

int ask_new(struct ask **out, struct cli *c, const struct warrant_set *warrants, struct err *err)
{
	struct ask *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return err_set(err, "out of memory");
	a->c = c;
	if (store_kms_all(c->store, &a->agreements, err) < 0) {
		ask_free(a);
		return -1;
	}
	a->keys = keys_new(NULL);
	a->loop = loop_new();
	a->exchanges =
		exchanges_new(&(struct exchanges_options){ a->loop, a->keys, on_replied, on_trouble, a, .again = 0 });
	if (a->keys == NULL || a->loop == NULL || a->exchanges == NULL) {
		ask_free(a);
		return err_set(err, "out of memory");
	}
	keys_agreements(a->keys, &a->agreements);
	keys_warrants(a->keys, warrants);
	*out = a;
	return 0;
}

void ask_free(struct ask *a)
{
	if (a == NULL)
		return;
	exchanges_free(a->exchanges);
	loop_free(a->loop);
	keys_free(a->keys);
	kms_agreements_clear(&a->agreements);
	free(a);
}

bool ask_is_for(const struct record *r)
{
	return r->kind == RECORD_KEY_WANTED || r->kind == RECORD_CALL_OVER;
}

static int trace(struct ask *a, const struct keys_out *o, struct err *err)
{
	char *detail = exchanges_detail(o);
	int rc = detail != NULL ? store_audit(a->c->store, o->act, "kms", detail, NULL, err)
				: err_set(err, "out of memory");

	free(detail);
	return rc;
}

static void give(const struct keys_out *o, struct pipeline *p)
{
	struct key_answer answer = *o->answer;

	answer.at = nsec_now(); /* the keys client knows only how much time goes by */
	pipeline_answer(p, &answer);
	key_answer_clear(&answer);
}

/* What there is to do now. Nothing is sent that the trail does not have. */
static int work(struct ask *a, struct pipeline *p, struct err *err)
{
	struct keys_out o;

	while (keys_next(a->keys, &o)) {
		if (o.kind == KEYS_TRACE && trace(a, &o, err) < 0)
			return err_in(err, "writing to the audit trail");
		if (o.kind == KEYS_SEND)
			exchanges_send(a->exchanges, o.agreement, o.exchange, o.path, o.body, o.timeout);
		else if (o.kind == KEYS_ANSWER)
			give(&o, p);
	}
	return 0;
}

static void wait(struct ask *a)
{
	nsec_t now = loop_now(), until = now + LOOK_EVERY, due = keys_due(a->keys);

	if (due != NSEC_NONE && due < until)
		until = due;
	if (until > now)
		loop_run(a->loop, until);
	keys_time(a->keys, loop_now());
}

int ask_record(struct ask *a, const struct record *r, struct pipeline *p, bool (*interrupted)(void), struct err *err)
{
	/* The KMS is not told that a call of a capture is over: it may have to be read once more. */
	if (r->kind == RECORD_CALL_OVER)
		keys_call_over(a->keys, r->call, false, loop_now());
	else if (!keys_take(a->keys, r->wanted, loop_now()))
		return err_set(err, "out of memory");
	for (;;) {
		if (work(a, p, err) < 0)
			return -1;
		if (keys_waiting(a->keys) == 0)
			return 0;
		if (interrupted())
			return err_set(err, "interrupted");
		wait(a);
	}
}
