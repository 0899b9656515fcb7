/*
 * role_keys_early: keys that are wanted under a warrant that is not known here yet: control tells every role of a new table at once, but each
 * reads it in its own time, and one that was started anew has none. They wait a moment for it; without a warrant nobody is asked.
 */
#include "role_keys.h"

#include <stdlib.h>

#include "otway/base/secret.h"

#define EARLY_MAX 10000
#define WAIT      (2 * NSEC_PER_SEC)  /* for a table that has the warrant */
#define WAIT_MORE (60 * NSEC_PER_SEC) /* for any table at all */

struct early_wanted {
	struct early_wanted *next;
	nsec_t since;
	uint32_t call;
	size_t len;
	uint8_t octets[]; /* of its message */
};

void early_init(struct early *e, struct key_role *r)
{
	*e = (struct early){ .role = r };
	e->end = &e->first;
}

/* Out of the list. */
static void drop(struct early *e, struct early_wanted **at)
{
	struct early_wanted *one = *at;

	*at = one->next;
	if (one->next == NULL)
		e->end = at;
	e->count--;
	secret_free(one, sizeof(*one) + one->len);
}

void early_clear(struct early *e)
{
	while (e->first != NULL)
		drop(e, &e->first);
}

static bool keep(struct early *e, struct bytes body, uint32_t call)
{
	struct early_wanted *one = e->count < EARLY_MAX ? malloc(sizeof(*one) + body.len) : NULL;

	if (one == NULL)
		return false;
	*one = (struct early_wanted){ .since = loop_now(), .call = call, .len = body.len };
	memcpy(one->octets, body.at, body.len);
	*e->end = one;
	e->end = &one->next;
	e->count++;
	return true;
}

/* False: its warrant is not known. One that is not in force at that moment is as none. */
static bool may_be_asked(struct early *e, struct bytes body, const struct key_wanted *w)
{
	const struct warrant *warrant = key_role_warrant(e->role, w->warrant);

	if (warrant == NULL)
		return false;
	if (warrant_in_force(warrant, w->at))
		answers_want(&e->role->answers, body, w);
	else
		answers_refuse(&e->role->answers, w, SEAL_NO_KEY);
	return true;
}

void early_want(struct early *e, struct bytes body)
{
	struct key_wanted w;

	if (!msg_get_key_wanted(body, &w) || may_be_asked(e, body, &w))
		return;
	if (!keep(e, body, w.call))
		answers_refuse(&e->role->answers, &w, SEAL_KMS_UNREACHABLE);
}

void early_call_over(struct early *e, uint32_t call)
{
	struct early_wanted **at = &e->first;

	while (*at != NULL) {
		if ((*at)->call == call)
			drop(e, at);
		else
			at = &(*at)->next;
	}
}

/* True: it waits no more. */
static bool look_at(struct early *e, const struct early_wanted *one)
{
	const struct bytes body = { one->octets, one->len };
	bool any = e->role->has_table;
	struct key_wanted w;

	if (!msg_get_key_wanted(body, &w) || may_be_asked(e, body, &w))
		return true;
	if (loop_now() - one->since < (any ? WAIT : WAIT_MORE))
		return false;
	answers_refuse(&e->role->answers, &w, any ? SEAL_NO_KEY : SEAL_KMS_UNREACHABLE);
	return true;
}

void early_look(struct early *e)
{
	struct early_wanted **at = &e->first;

	while (*at != NULL) {
		if (look_at(e, *at))
			drop(e, at);
		else
			at = &(*at)->next;
	}
}
