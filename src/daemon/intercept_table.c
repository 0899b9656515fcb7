/* intercept_table: the table of warrants as control tells it: built aside, in force when it is whole, for as long as its lease. */
#include "intercept.h"

void intercept_table_begin(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;

	(void)index;
	(void)body;
	warrant_set_clear(&it->coming);
	it->is_coming = true; /* else it is the tail of what another one began to hear */
}

void intercept_table_warrant(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;
	struct warrant w = { 0 };

	(void)index;
	if (!it->is_coming)
		return;
	it->is_coming = msg_get_warrant(body, &w) && warrant_add(&it->coming, &w); /* else the one before holds */
	warrant_clear(&w);
}

void intercept_table_lease(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;
	struct msg_lease l;

	(void)index;
	if (!msg_get_lease(body, &l))
		return;
	it->lease = l.until;
	if (!it->lease_over || nsec_now() >= it->lease)
		return;
	it->lease_over = false;
	back_set_table(it, &it->table);
	crew_alarm(it->crew, ALARM_LEASE, false, "", "the store is back");
}

void intercept_table_end(void *role, uint32_t index, struct bytes body)
{
	struct intercept *it = role;

	if (it->back == NULL || !it->is_coming)
		return;
	it->is_coming = false;
	intercept_table_lease(role, index, body);
	warrant_set_clear(&it->table);
	it->table = it->coming; /* ours from here on */
	it->coming = (struct warrant_set){ 0 };
	it->has_table = true;
	if (!it->lease_over)
		back_set_table(it, &it->table);
	resume_try(it);
	front_drain(it);
}
