/* steps: a queue of steps, each in no more memory than its kind needs. */
#include "steps.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/model/key.h"

struct cover_list {
	size_t count;
	struct cover all[COVERS_MAX];
};

struct steps_node {
	struct steps_node *next;
	size_t size; /* of the node, to wipe it */
	enum step_kind kind;
	nsec_t at;
	uint32_t call;
	struct held *sip;
	char *texts[3]; /* of an event: method, from, to */
	union {
		struct record record;
		struct cover_list covers;
		struct place place;
		struct key_given key;
		const struct key_wanted *wanted;
	} body[]; /* of its kind only */
};

void steps_init(struct steps *s)
{
	*s = (struct steps){ .first = NULL };
	s->last = &s->first;
}

static void node_free(struct steps_node *n)
{
	if (n == NULL)
		return;
	held_drop(n->sip);
	for (size_t i = 0; i < 3; i++)
		if (n->texts[i] != NULL)
			secret_free(n->texts[i], strlen(n->texts[i]));
	secret_free(n, n->size);
}

void steps_clear(struct steps *s)
{
	while (s->first != NULL) {
		struct steps_node *n = s->first;

		s->first = n->next;
		node_free(n);
	}
	node_free(s->given);
	secret_wipe(&s->out, sizeof(s->out));
	steps_init(s);
}

bool steps_empty(const struct steps *s)
{
	return s->first == NULL;
}

static struct steps_node *push(
	struct steps *s, enum step_kind kind, uint32_t call, nsec_t at, const void *body, size_t len)
{
	struct steps_node *n = calloc(1, sizeof(*n) + len);

	if (n == NULL) {
		s->lost++;
		return NULL;
	}
	n->size = sizeof(*n) + len;
	n->kind = kind;
	n->call = call;
	n->at = at;
	if (len > 0)
		memcpy(n->body, body, len);
	*s->last = n;
	s->last = &n->next;
	return n;
}

/* The event's texts become the node's own. */
static void own_texts(struct steps_node *n)
{
	struct event_facts *e = &n->body->record.event;
	const char **texts[3] = { &e->method, &e->from, &e->to };

	for (size_t i = 0; i < 3; i++)
		if (*texts[i] != NULL)
			*texts[i] = n->texts[i] = strdup(*texts[i]);
}

void steps_record(struct steps *s, const struct record *r, struct held *sip)
{
	struct steps_node *n = push(s, STEP_RECORD, r->call, r->at, r, sizeof(*r));

	if (n == NULL)
		return;
	n->sip = held_keep(sip);
	n->body->record.sip = sip != NULL ? &sip->datagram : NULL;
	if (r->kind == RECORD_EVENT)
		own_texts(n);
}

void steps_cover(struct steps *s, uint32_t call, nsec_t at, const struct cover *covers, size_t count)
{
	struct cover_list list = { .count = count < COVERS_MAX ? count : COVERS_MAX };

	if (list.count > 0)
		memcpy(list.all, covers, list.count * sizeof(*covers));
	push(s, STEP_COVER, call, at, &list, sizeof(list));
}

void steps_place(struct steps *s, nsec_t at, const struct place *p)
{
	push(s, STEP_PLACE, p->call, at, p, sizeof(*p));
}

void steps_key(struct steps *s, nsec_t at, const struct key_given *k)
{
	push(s, STEP_KEY, k->call, at, k, sizeof(*k));
}

void steps_close(struct steps *s, uint32_t call, nsec_t at)
{
	push(s, STEP_CLOSE, call, at, NULL, 0);
}

void steps_wanted(struct steps *s, nsec_t at, const struct key_wanted *w)
{
	push(s, STEP_KEY_WANTED, w->call, at, &w, sizeof(const struct key_wanted *));
}

void steps_over(struct steps *s, uint32_t call, nsec_t at)
{
	push(s, STEP_OVER, call, at, NULL, 0);
}

static void unfold(const struct steps_node *n, struct step *out)
{
	*out = (struct step){ .kind = n->kind, .at = n->at, .call = n->call };
	switch (n->kind) {
	case STEP_RECORD:
		out->record = n->body->record;
		break;
	case STEP_COVER:
		out->cover_count = n->body->covers.count;
		memcpy(out->covers, n->body->covers.all, sizeof(out->covers));
		break;
	case STEP_PLACE:
		out->place = n->body->place;
		break;
	case STEP_KEY:
		out->key = n->body->key;
		break;
	case STEP_CLOSE:
	case STEP_OVER:
	case STEP_GONE:
	case STEP_NOTE:
	case STEP_FORGET:
		break;
	case STEP_KEY_WANTED:
		out->wanted = n->body->wanted;
		break;
	}
}

void steps_gone(struct steps *s, uint32_t call, nsec_t at)
{
	push(s, STEP_GONE, call, at, NULL, 0);
}

bool steps_next(struct steps *s, const struct step **out)
{
	struct steps_node *n = s->first;

	if (s->given != NULL)
		secret_wipe(&s->out, sizeof(s->out)); /* it is asked after every packet, and mostly for nothing */
	node_free(s->given);
	s->given = n;
	if (n == NULL)
		return false;
	s->first = n->next;
	if (s->first == NULL)
		s->last = &s->first;
	unfold(n, &s->out);
	*out = &s->out;
	return true;
}
