/* ask: the keys client between the pipeline, the network and the audit trail. */
#include "ask.h"

#include <stdlib.h>

#include "otway/http.h"
#include "otway/keys.h"

#define LOOK_EVERY (NSEC_PER_SEC / 4) /* at who interrupts */

/* A KMS that was spoken to. */
struct peer {
	struct peer *next;
	uint32_t agreement;
	struct http_client *client; /* NULL: its certificates cannot be used */
};

struct ask {
	struct cli *c;
	struct kms_agreements agreements;
	struct keys *keys;
	struct loop *loop;
	struct peer *peers;
};

/* An exchange that is under way. */
struct posted {
	struct ask *ask;
	uint64_t exchange;
};

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
	if (a->keys == NULL || a->loop == NULL) {
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
	while (a->peers != NULL) {
		struct peer *p = a->peers;

		a->peers = p->next;
		http_client_free(p->client);
		free(p);
	}
	loop_free(a->loop);
	keys_free(a->keys);
	kms_agreements_clear(&a->agreements);
	free(a);
}

bool ask_is_for(const struct record *r)
{
	return r->kind == RECORD_KEY_WANTED || r->kind == RECORD_CALL_OVER;
}

/* Files of ours that cannot be used are told once; the KMS counts as one that is not to be believed. */
static struct http_client *client_of(struct ask *a, const struct kms_agreement *with)
{
	const struct tls_files files = { with->ca, with->cert, with->key };
	struct err why;
	struct peer *p = a->peers;

	while (p != NULL && p->agreement != with->number)
		p = p->next;
	if (p != NULL)
		return p->client;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->agreement = with->number;
	if (http_client_new(&p->client, a->loop, with->url, &files, &why) < 0) {
		p->client = NULL;
		output_note(a->c, "the KMS of agreement %u cannot be asked: %s", (unsigned int)with->number, why.text);
	}
	p->next = a->peers;
	a->peers = p;
	return p->client;
}

static void replied(void *arg, const struct http_reply *r)
{
	struct posted *posted = arg;
	const struct keys_reply reply = { posted->exchange, r->status, r->trusted, r->body };

	keys_reply(posted->ask->keys, &reply, loop_now());
	loop_stop(posted->ask->loop);
	free(posted);
}

static void post(struct ask *a, const struct keys_out *o)
{
	struct http_client *client = client_of(a, o->agreement);
	struct posted *posted = client != NULL ? calloc(1, sizeof(*posted)) : NULL;
	const struct keys_reply failed = { .exchange = o->exchange, .trusted = client != NULL };

	if (posted != NULL) {
		*posted = (struct posted){ a, o->exchange };
		if (http_post(client, o->path, "application/json", o->body, o->timeout, replied, posted))
			return;
	}
	free(posted);
	keys_reply(a->keys, &failed, loop_now());
}

static int trace(struct ask *a, const struct keys_out *o, struct err *err)
{
	return cli_audit(a->c, o->act, "kms",
		json_pack("{s:s?, s:i, s:i, s:i, s:s?}", "request", o->request, "warrant", (int)o->warrant, "call",
			(int)o->call, "agreement", (int)o->agreement_number, "outcome", o->outcome),
		err);
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
			post(a, &o);
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
