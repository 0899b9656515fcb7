/* back_midcall: a triage of the warrants that are due alone, over all that is kept. Rare: when a table is replaced, when a warrant begins. */
#include "back_midcall.h"

#include <stdlib.h>

#include "otway/base/table.h"
#include "otway/triage.h"

struct midcall {
	struct setups *setups;
	struct warrant_set due;
	uint32_t *fresh; /* local numbers of warrants that were not looked for yet */
	size_t fresh_count, fresh_room;
	struct buf found; /* Call-IDs, each behind its length of two octets */
	size_t given;
};

struct midcall *midcall_new(size_t octets)
{
	struct midcall *m = calloc(1, sizeof(*m));

	if (m != NULL && (m->setups = setups_new(octets)) == NULL) {
		free(m);
		return NULL;
	}
	return m;
}

void midcall_free(struct midcall *m)
{
	if (m == NULL)
		return;
	setups_free(m->setups);
	warrant_set_clear(&m->due);
	buf_clear(&m->found);
	free(m->fresh);
	free(m);
}

struct setups *midcall_setups(struct midcall *m)
{
	return m->setups;
}

static void add_fresh(struct midcall *m, uint32_t number)
{
	if (m->fresh_count == m->fresh_room) {
		size_t room = m->fresh_room > 0 ? 2 * m->fresh_room : 64;
		uint32_t *fresh = realloc(m->fresh, room * sizeof(*fresh));

		if (fresh == NULL)
			return; /* it begins with the next call */
		m->fresh = fresh;
		m->fresh_room = room;
	}
	m->fresh[m->fresh_count++] = number;
}

/* Both tables are in the order of numbers: store gives them so. Where they are not, a warrant is looked for once more, which harms nothing. */
void midcall_table(struct midcall *m, const struct warrant_set *before, const struct warrant_set *now)
{
	size_t k = 0;

	for (size_t i = 0; i < now->count; i++) {
		while (k < before->count && before->all[k].number < now->all[i].number)
			k++;
		if (k == before->count || before->all[k].number != now->all[i].number)
			add_fresh(m, now->all[i].number);
	}
}

/* Call-IDs of all messages that may name one that is due. */
static void look(struct midcall *m, const struct triage *triage)
{
	struct bytes last = { NULL, 0 };
	struct datagram d;
	size_t step = 0;

	while (setups_each(m->setups, &step, &d)) {
		struct glance g;
		uint8_t len[2];

		triage_look(triage, d.payload, &g);
		if (!g.may_match || g.call_id.len > UINT16_MAX || bytes_equal(g.call_id, last))
			continue;
		put_be16(len, (uint16_t)g.call_id.len);
		buf_add(&m->found, len, 2);
		buf_add(&m->found, g.call_id.at, g.call_id.len);
		if (m->found.failed)
			return;
		last = bytes_part(buf_bytes(&m->found), m->found.len - g.call_id.len, g.call_id.len);
	}
}

const struct warrant_set *midcall_due(struct midcall *m, const struct warrant_set *table, nsec_t now)
{
	struct triage *triage;
	size_t kept = 0;

	warrant_set_clear(&m->due);
	buf_reset(&m->found);
	m->given = 0;
	for (size_t i = 0; i < m->fresh_count; i++) {
		const struct warrant *w = warrant_find(table, m->fresh[i]);

		if (w != NULL && w->from > now)
			m->fresh[kept++] = m->fresh[i];
		else if (w != NULL && warrant_in_force(w, now))
			warrant_add(&m->due, w);
	}
	m->fresh_count = kept;
	if (m->due.count == 0)
		return NULL;
	triage = triage_new();
	if (triage != NULL && triage_targets(triage, &m->due))
		look(m, triage);
	triage_free(triage);
	return &m->due;
}

bool midcall_next(struct midcall *m, struct bytes *call_id)
{
	struct bytes rest = bytes_part(buf_bytes(&m->found), m->given, m->found.len);

	if (m->found.failed || rest.len < 2)
		return false;
	*call_id = bytes_part(rest, 2, be16(rest.at));
	m->given += 2 + call_id->len;
	return true;
}
