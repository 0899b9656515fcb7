/* exchanges: keys on one side, HTTP on the other. */
#include "otway/exchanges.h"

#include <stdlib.h>

#include <jansson.h>

#include "otway/http.h"
#include "otway/keys.h"

/* A KMS that was spoken to, and the agreement as it was then. */
struct peer {
	struct peer *next;
	struct exchanges *all;
	struct kms_agreements as;   /* one */
	struct http_client *client; /* NULL: our files cannot be used */
	enum exchanges_trouble trouble;
	nsec_t tried;
};

struct exchanges {
	struct exchanges_options o;
	struct peer *peers;
};

/* An exchange that is under way. */
struct posted {
	struct peer *peer;
	uint64_t exchange;
};

struct exchanges *exchanges_new(const struct exchanges_options *o)
{
	struct exchanges *e = calloc(1, sizeof(*e));

	if (e != NULL)
		e->o = *o;
	return e;
}

static void peer_free(struct peer *p)
{
	if (p == NULL)
		return;
	http_client_free(p->client);
	kms_agreements_clear(&p->as);
	free(p);
}

void exchanges_renew(struct exchanges *e)
{
	while (e->peers != NULL) {
		struct peer *p = e->peers;

		e->peers = p->next;
		peer_free(p);
	}
}

void exchanges_free(struct exchanges *e)
{
	if (e == NULL)
		return;
	exchanges_renew(e);
	free(e);
}

static bool same_way(const struct kms_agreement *a, const struct kms_agreement *b)
{
	return a->number == b->number && strcmp(a->url, b->url) == 0 && strcmp(a->ca, b->ca) == 0 &&
	       strcmp(a->cert, b->cert) == 0 && strcmp(a->key, b->key) == 0;
}

static bool still_there(const struct peer *p, const struct kms_agreements *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (same_way(&p->as.all[0], &set->all[i]))
			return true;
	return false;
}

void exchanges_agreements(struct exchanges *e, const struct kms_agreements *set)
{
	struct peer **at = &e->peers, *p;

	while ((p = *at) != NULL) {
		if (still_there(p, set)) {
			at = &p->next;
		} else {
			*at = p->next;
			peer_free(p);
		}
	}
}

static struct peer *peer_find(const struct exchanges *e, uint32_t agreement)
{
	struct peer *p = e->peers;

	while (p != NULL && p->as.all[0].number != agreement)
		p = p->next;
	return p;
}

enum exchanges_trouble exchanges_trouble(const struct exchanges *e, uint32_t agreement)
{
	const struct peer *p = peer_find(e, agreement);

	return p != NULL ? p->trouble : EXCHANGES_FINE;
}

static void tell(struct peer *p, enum exchanges_trouble t, const char *why)
{
	const struct exchanges_options *o = &p->all->o;
	bool other = p->trouble != t;

	p->trouble = t;
	if (other && o->trouble != NULL)
		o->trouble(o->arg, p->as.all[0].number, t, why);
}

static void open_client(struct peer *p)
{
	const struct kms_agreement *a = &p->as.all[0];
	const struct tls_files files = { a->ca, a->cert, a->key };
	struct err why;

	p->tried = loop_now();
	if (http_client_new(&p->client, p->all->o.loop, a->url, &files, &why) < 0) {
		p->client = NULL;
		tell(p, EXCHANGES_FILES, why.text);
	} else {
		tell(p, EXCHANGES_FINE, "");
	}
}

/* NULL: out of memory. */
static struct peer *peer_of(struct exchanges *e, const struct kms_agreement *with)
{
	struct peer *p = peer_find(e, with->number);

	if (p != NULL && p->client == NULL && e->o.again > 0 && loop_now() - p->tried >= e->o.again)
		open_client(p);
	if (p != NULL)
		return p;
	p = calloc(1, sizeof(*p));
	if (p == NULL || !kms_agreement_add(&p->as, with)) {
		peer_free(p);
		return NULL;
	}
	p->all = e;
	p->next = e->peers;
	e->peers = p;
	open_client(p);
	return p;
}

static void replied(void *arg, const struct http_reply *r)
{
	struct posted *posted = arg;
	struct peer *p = posted->peer;
	struct exchanges *e = p->all;
	const struct keys_reply reply = { posted->exchange, r->status, r->trusted, r->body };

	free(posted);
	if (!r->trusted)
		tell(p, EXCHANGES_UNTRUSTED, "its certificate is not believed");
	else if (r->status != 0)
		tell(p, EXCHANGES_FINE, "");
	keys_reply(e->o.keys, &reply, loop_now());
	e->o.replied(e->o.arg);
}

void exchanges_send(struct exchanges *e, const struct kms_agreement *with, uint64_t exchange, const char *path,
	struct bytes body, nsec_t timeout)
{
	struct peer *p = peer_of(e, with);
	struct http_client *client = p != NULL ? p->client : NULL;
	struct posted *posted = client != NULL ? calloc(1, sizeof(*posted)) : NULL;
	const struct keys_reply failed = { .exchange = exchange, .trusted = p == NULL || client != NULL };

	if (posted != NULL) {
		*posted = (struct posted){ p, exchange };
		if (http_post(client, path, "application/json", body, timeout, replied, posted))
			return;
	}
	free(posted);
	keys_reply(e->o.keys, &failed, loop_now());
}

char *exchanges_detail(const struct keys_out *trace)
{
	json_t *detail = json_pack("{s:s?, s:I, s:I, s:I, s:s?}", "request", trace->request, "warrant",
		(json_int_t)trace->warrant, "call", (json_int_t)trace->call, "agreement",
		(json_int_t)trace->agreement_number, "outcome", trace->outcome);
	char *text = detail != NULL ? json_dumps(detail, JSON_COMPACT) : NULL;

	json_decref(detail);
	return text;
}
