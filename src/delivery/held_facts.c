/* held_facts: the facts of a call, copied, and wiped when newer ones come. */
#include "holdings.h"

#include <stdlib.h>

#include "otway/base/secret.h"

static void text_free(char *s)
{
	if (s != NULL)
		secret_free(s, strlen(s));
}

static void kms_clear(struct held_kms *k)
{
	text_free(k->request);
	text_free(k->protocol);
	text_free(k->outcome);
	for (size_t i = 0; i < k->tried_count; i++) {
		text_free(k->tried[i].kms);
		text_free(k->tried[i].by);
		text_free(k->tried[i].outcome);
	}
	free(k->tried);
}

void held_facts_clear(struct held_facts *f)
{
	for (size_t i = 0; i < f->call_id_count; i++)
		text_free(f->call_ids[i]);
	for (size_t i = 0; i < f->match_count; i++)
		text_free(f->matches[i].value);
	for (size_t i = 0; i < f->diversion_count; i++) {
		text_free(f->diversions[i].by);
		text_free(f->diversions[i].to);
	}
	for (size_t i = 0; i < f->kms_count; i++)
		kms_clear(&f->kms[i]);
	free(f->kms);
	free(f->call_ids);
	free(f->matches);
	free(f->diversions);
	text_free(f->caller);
	text_free(f->callee);
	*f = (struct held_facts){ .started = NSEC_NONE, .answered = NSEC_NONE, .ended = NSEC_NONE };
}

static char *copy(const char *s, bool *ok)
{
	char *c = s != NULL ? strdup(s) : NULL;

	if (s != NULL && c == NULL)
		*ok = false;
	return c;
}

static void *room(size_t count, size_t each, bool *ok)
{
	void *p = count > 0 ? calloc(count, each) : NULL;

	if (count > 0 && p == NULL)
		*ok = false;
	return p;
}

/* The services have names that live as long as the program only here. */
static const char *service_name(const char *name)
{
	static const char *const names[] = { "CFU", "CFB", "CFNR", "CFNL", "CD", "CFNRc" };

	for (size_t i = 0; name != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return names[i];
	return "unknown";
}

static void copy_kms(struct held_kms *to, const struct call_kms *from, bool *ok)
{
	*to = (struct held_kms){ .line = from->line, .at = from->at, .mismatch = from->mismatch };
	to->request = copy(from->request, ok);
	to->protocol = copy(from->protocol, ok);
	to->outcome = copy(from->outcome, ok);
	to->tried = room(from->tried_count, sizeof(*to->tried), ok);
	for (size_t i = 0; *ok && i < from->tried_count; i++, to->tried_count++) {
		const struct call_kms_tried *t = &from->tried[i];

		to->tried[i] = (struct held_tried){ copy(t->kms, ok), copy(t->by, ok), copy(t->outcome, ok) };
	}
}

static void copy_lists(struct held_facts *to, const struct call_facts *from, bool *ok)
{
	to->call_ids = room(from->call_id_count, sizeof(*to->call_ids), ok);
	for (size_t i = 0; *ok && i < from->call_id_count; i++, to->call_id_count++)
		to->call_ids[i] = copy(from->call_ids[i], ok);
	to->matches = room(from->match_count, sizeof(*to->matches), ok);
	for (size_t i = 0; *ok && i < from->match_count; i++, to->match_count++) {
		const struct call_match *m = &from->matches[i];

		to->matches[i] = (struct held_match){ m->target, m->header, m->side, m->verified, copy(m->value, ok) };
	}
	to->diversions = room(from->diversion_count, sizeof(*to->diversions), ok);
	for (size_t i = 0; *ok && i < from->diversion_count; i++, to->diversion_count++) {
		const struct call_diversion *d = &from->diversions[i];

		to->diversions[i] =
			(struct held_diversion){ service_name(d->service), d->cause, copy(d->by, ok), copy(d->to, ok) };
	}
	to->kms = room(from->kms_count, sizeof(*to->kms), ok);
	for (size_t i = 0; *ok && i < from->kms_count; i++, to->kms_count++)
		copy_kms(&to->kms[i], &from->kms[i], ok);
}

int held_facts_set(struct held_call *c, const struct call_facts *facts)
{
	struct held_facts new = {
		.started = facts->started,
		.answered = facts->answered,
		.ended = facts->ended,
		.outcome = facts->outcome,
		.target = facts->target,
		.keep_keys = facts->keep_keys,
		.kms_left_out = facts->kms_left_out,
	};
	bool ok = true;

	new.caller = copy(facts->caller, &ok);
	new.callee = copy(facts->callee, &ok);
	copy_lists(&new, facts, &ok);
	if (!ok) {
		held_facts_clear(&new);
		return -1;
	}
	held_facts_clear(&c->facts);
	c->facts = new;
	c->facts_known = true;
	return 0;
}
