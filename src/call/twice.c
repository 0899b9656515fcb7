/* twice: a ring of the last messages. */
#include "twice.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/table.h"

#define TWICE_ENTRIES 256
#define TWICE_WITHIN  (50 * (NSEC_PER_SEC / 1000))

struct entry {
	nsec_t at;
	uint64_t hash;
	struct flow flow;
	uint8_t *text; /* NULL: free */
	size_t len;
};

struct twice {
	struct entry entries[TWICE_ENTRIES];
	size_t next;
};

struct twice *twice_new(void)
{
	return calloc(1, sizeof(struct twice));
}

static void entry_clear(struct entry *e)
{
	secret_free(e->text, e->len);
	*e = (struct entry){ 0 };
}

void twice_free(struct twice *t)
{
	for (size_t i = 0; t != NULL && i < TWICE_ENTRIES; i++)
		entry_clear(&t->entries[i]);
	free(t);
}

static bool near_in_time(nsec_t a, nsec_t b)
{
	return (a > b ? a - b : b - a) <= TWICE_WITHIN;
}

static bool is_copy(const struct entry *e, const struct sip_message *m, const struct flow *flow, uint64_t hash)
{
	return e->text != NULL && e->hash == hash && near_in_time(e->at, m->at) &&
	       addr_equal(&e->flow.src, &flow->src) && addr_equal(&e->flow.dst, &flow->dst) &&
	       bytes_equal((struct bytes){ e->text, e->len }, m->text);
}

bool twice_seen(struct twice *t, const struct sip_message *m)
{
	const struct flow *flow = &m->datagram->flow;
	uint64_t hash = table_hash(m->text);
	struct entry *e;

	for (size_t i = 0; i < TWICE_ENTRIES; i++)
		if (is_copy(&t->entries[i], m, flow, hash))
			return true;
	e = &t->entries[t->next++ % TWICE_ENTRIES];
	entry_clear(e);
	e->text = malloc(m->text.len + 1);
	if (e->text == NULL)
		return false;
	if (m->text.len > 0)
		memcpy(e->text, m->text.at, m->text.len);
	e->len = m->text.len;
	e->at = m->at;
	e->hash = hash;
	e->flow = *flow;
	return false;
}

void twice_time(struct twice *t, nsec_t at)
{
	for (size_t i = 0; i < TWICE_ENTRIES; i++)
		if (t->entries[i].text != NULL && t->entries[i].at < at - 4 * NSEC_PER_SEC)
			entry_clear(&t->entries[i]);
}
