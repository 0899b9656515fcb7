/*
 * wants_facts: what is told of a call's wanted keys. Facts stay when the want that they are of has given way; of more than FACTS_MAX
 * the first and the latest are told, and how many were left out. Steps that are not out yet may borrow from what is replaced, so
 * that it is freed later.
 */
#include "wants.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define LEFT_OUT SIZE_MAX

/* Its octets are aligned for anything: the head's size is a multiple of two pointers'. */
static void *block_new(size_t len)
{
	struct text *t = calloc(1, sizeof(*t) + len);

	if (t == NULL)
		return NULL;
	t->len = len;
	return t->chars;
}

static struct text *block_of(const void *octets)
{
	return octets != NULL ? (struct text *)(void *)((char *)(uintptr_t)octets - offsetof(struct text, chars))
			      : NULL;
}

static void block_later(struct call_stage *c, const void *octets)
{
	struct text *t = block_of(octets);

	if (t == NULL)
		return;
	t->next = c->dead_texts;
	c->dead_texts = t;
}

static void block_free(const void *octets)
{
	struct text *t = block_of(octets);

	if (t != NULL)
		secret_free(t, sizeof(*t) + t->len);
}

static bool grow(struct call_stage *c, struct call *call)
{
	size_t room = call->kms_room > 0 ? call->kms_room * 2 : 2;
	struct call_kms *grown;

	if (call->kms_count < call->kms_room)
		return true;
	grown = block_new(room * sizeof(*grown));
	if (grown == NULL)
		return false;
	if (call->kms_count > 0)
		memcpy(grown, call->kms, call->kms_count * sizeof(*grown));
	block_later(c, call->kms);
	call->kms = grown;
	call->kms_room = room;
	return true;
}

/* The oldest but the first. */
static void leave_out(struct call_stage *c, struct call *call)
{
	block_later(c, call->kms[1].tried);
	call->kms_count--;
	call->kms_left_out++;
	memmove(&call->kms[1], &call->kms[2], (call->kms_count - 1) * sizeof(call->kms[0]));
	for (size_t i = 0; i < call->want_count; i++) {
		struct want *w = call->wants[i];

		if (!w->said || w->fact == LEFT_OUT || w->fact == 0)
			continue;
		w->fact = w->fact == 1 ? LEFT_OUT : w->fact - 1;
	}
}

void fact_add(struct call_stage *c, struct call *call, struct want *w)
{
	w->fact = LEFT_OUT;
	if (call->kms_count == FACTS_MAX)
		leave_out(c, call);
	call->changed = true;
	if (!grow(c, call)) {
		call->kms_left_out++;
		return;
	}
	w->fact = call->kms_count++;
	call->kms[w->fact] = (struct call_kms){
		.protocol = w->wanted.protocol == KEY_MGMT_MIKEY ? "mikey" : "otway-rees",
		.line = w->wanted.line,
		.wanted = w->wanted.at,
		.at = NSEC_NONE,
	};
}

static const char *outcome_text(enum seal_reason r)
{
	return r == SEAL_NONE ? "keys" : seal_reason_text(r);
}

/* Who was tried, their names behind it, and the request's id behind those, in one block. */
static size_t told_octets(const struct key_answer *a, size_t count)
{
	size_t octets = count * sizeof(struct call_kms_tried) + strlen(a->request) + 1;

	for (size_t i = 0; i < count; i++)
		octets += strlen(a->tried[i].kms) + 1;
	return octets;
}

static const char *put(char **to, const char *text)
{
	size_t len = strlen(text);
	char *at = *to;

	memcpy(at, text, len + 1);
	*to += len + 1;
	return len > 0 ? at : NULL;
}

void fact_answer(struct call_stage *c, struct call *call, const struct want *w, const struct key_answer *a)
{
	size_t count = a->tried_count < KEY_CANDIDATES ? a->tried_count : KEY_CANDIDATES;
	struct call_kms *f = w->fact != LEFT_OUT ? &call->kms[w->fact] : NULL;
	struct call_kms_tried *tried = f != NULL ? block_new(told_octets(a, count)) : NULL;
	char *texts = (char *)(tried + (tried != NULL ? count : 0));

	call->changed = true;
	if (f == NULL)
		return;
	block_later(c, f->tried);
	f->tried = NULL;
	f->tried_count = 0;
	f->request = NULL;
	f->at = a->at;
	f->outcome = outcome_text(w->reason);
	f->mismatch = w->mismatch;
	if (tried == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		tried[i] = (struct call_kms_tried){
			.kms = put(&texts, a->tried[i].kms),
			.by = kms_origin_text(a->tried[i].origin),
			.outcome = outcome_text(a->tried[i].outcome),
		};
	f->request = put(&texts, a->request);
	f->tried = tried;
	f->tried_count = count;
}

void facts_drop(struct call_stage *c, struct call *call)
{
	for (size_t i = 0; i < call->kms_count; i++)
		block_later(c, call->kms[i].tried);
	block_later(c, call->kms);
	call->kms = NULL;
	call->kms_count = call->kms_room = call->kms_left_out = 0;
}

void facts_free(struct call *call)
{
	for (size_t i = 0; i < call->kms_count; i++)
		block_free(call->kms[i].tried);
	block_free(call->kms);
	call->kms = NULL;
	call->kms_count = call->kms_room = call->kms_left_out = 0;
}

void facts_bury(struct call_stage *c)
{
	while (c->dead_texts != NULL) {
		struct text *t = c->dead_texts;

		c->dead_texts = t->next;
		secret_free(t, sizeof(*t) + t->len);
	}
}
