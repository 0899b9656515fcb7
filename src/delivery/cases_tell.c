/* cases_tell: what is said of cases to others: for the audit trail, and counters. */
#include "cases_inside.h"

enum { NOTES = 4096 }; /* that nobody asked for: later ones are not told */

void cases_tell(struct cases *c, const struct cases_note *n)
{
	struct cases_note *grew;

	if (c->notes.count == NOTES)
		return;
	grew = holding_grown(c->notes.all, c->notes.count, &c->notes.cap, sizeof(*grew));
	if (grew == NULL)
		return;
	c->notes.all = grew;
	c->notes.all[c->notes.count++] = *n;
}

bool cases_note(struct cases *c, struct cases_note *out)
{
	if (c->notes.next == c->notes.count) {
		c->notes.next = c->notes.count = 0;
		return false;
	}
	*out = c->notes.all[c->notes.next++];
	return true;
}

size_t cases_counts(const struct cases *c, struct counter *out, size_t max)
{
	uint64_t open = 0, periods = 0;
	size_t n = 0;

	for (const struct period *p = c->periods; p != NULL; p = p->next) {
		periods++;
		for (uint32_t i = 0; i < p->call_count; i++)
			open += p->calls[i]->finished == NSEC_NONE;
	}
	{
		const struct counter all[] = {
			{ "records", c->counts.records },
			{ "records_again", c->counts.again },
			{ "records_refused", c->counts.refused },
			{ "records_lost", c->counts.lost },
			{ "calls_open", open },
			{ "calls_finished", c->counts.finished },
			{ "finish_failed", c->counts.failed },
			{ "folders_open", periods },
			{ "folders_closed", c->counts.closed },
			{ "held", held_store_count(c->held) },
			{ "held_octets", held_store_octets(c->held) },
			{ "gaps", c->counts.gaps },
			{ "waiting", appends_gathered(c->journal) },
		};

		for (; n < sizeof(all) / sizeof(all[0]) && n < max; n++)
			out[n] = all[n];
	}
	return n;
}
