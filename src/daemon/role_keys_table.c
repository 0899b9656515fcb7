/* role_keys_table: warrants and agreements, as control says them: a whole table takes the place of the one before, while its lease holds. */
#include "role_keys.h"

#include <stdio.h>

#include "otway/base/log.h"
#include "otway/exchanges.h"

static const struct warrant_set nobody;

const struct warrant *key_role_warrant(const struct key_role *r, uint32_t number)
{
	return r->holds ? warrant_find(&r->now.warrants, number) : NULL;
}

const struct kms_agreement *key_role_agreement(const struct key_role *r, uint32_t number)
{
	for (size_t i = 0; r->holds && i < r->now.agreements.count; i++)
		if (r->now.agreements.all[i].number == number)
			return &r->now.agreements.all[i];
	return NULL;
}

void key_table_clear(struct key_table *t)
{
	warrant_set_clear(&t->warrants);
	kms_agreements_clear(&t->agreements);
	*t = (struct key_table){ 0 };
}

/* Whether anything of it holds: else nobody is asked, whatever is wanted. */
static void look_at_lease(struct key_role *r)
{
	bool holds = r->has_table && nsec_now() < r->now.lease.until;

	r->holds = holds;
	keys_agreements(r->keys, &r->now.agreements);
	keys_warrants(r->keys, holds ? &r->now.warrants : &nobody);
	answers_table(&r->answers);
	early_look(&r->early);
	key_role_work(r);
}

void key_table_name(uint32_t number, char out[GAP_WHERE])
{
	snprintf(out, GAP_WHERE, "agreement %u", number);
}

/* Nobody is troubled about an agreement that is no more. */
static void alarms_of_the_gone(struct key_role *r, const struct kms_agreements *before)
{
	char of[GAP_WHERE];

	for (size_t i = 0; i < before->count; i++) {
		key_table_name(before->all[i].number, of);
		if (key_role_agreement(r, before->all[i].number) == NULL)
			crew_alarm(r->crew, ALARM_KMS, false, of, " ");
	}
}

void key_table_begin(struct key_role *r)
{
	key_table_clear(&r->coming);
	r->begun = true;
}

void key_table_warrant(struct key_role *r, struct bytes body)
{
	struct warrant w = { 0 };

	if (r->begun)
		r->begun = msg_get_warrant(body, &w) && warrant_add(&r->coming.warrants, &w);
	warrant_clear(&w);
}

void key_table_agreement(struct key_role *r, struct bytes body)
{
	struct kms_agreement a = { 0 };

	if (r->begun)
		r->begun = msg_get_agreement(body, &a) && kms_agreement_add(&r->coming.agreements, &a);
	kms_agreement_clear(&a);
}

/* A table of which something is missing takes no other's place: the one before holds, as long as its lease does. */
void key_table_end(struct key_role *r, struct bytes body)
{
	struct key_table before = r->now;

	if (!r->begun || !msg_get_lease(body, &r->coming.lease)) {
		log_error("bug: a table of control's that is not whole");
		key_table_clear(&r->coming);
		r->begun = false;
		return;
	}
	r->now = r->coming;
	r->coming = (struct key_table){ 0 };
	r->has_table = true;
	r->begun = false;
	look_at_lease(r);
	alarms_of_the_gone(r, &before.agreements);
	exchanges_agreements(r->exchanges, &r->now.agreements);
	key_table_clear(&before);
}

void key_table_tick(struct key_role *r)
{
	if (r->has_table && r->holds != (nsec_now() < r->now.lease.until))
		look_at_lease(r);
}

void key_table_lease(struct key_role *r, struct bytes body)
{
	struct msg_lease lease;

	if (!r->has_table || !msg_get_lease(body, &lease))
		return;
	r->now.lease = lease;
	key_table_tick(r);
}
