/* esp: the security associations seen, what is known of each, and the packets that wait for it to be known. */
#include "esp.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/table.h"
#include "walk.h"

#define DOUBTS 4 /* packets without any evidence that make an association an encrypted one */

static const uint8_t icv_lengths[] = { 12, 16, 24, 32 }; /* RFC 5879 8.3.1, the shortest first */
#define ICV_LENGTHS (sizeof(icv_lengths) / sizeof(icv_lengths[0]))

struct held {
	struct held *next;
	nsec_t at;
	uint32_t source;
	size_t len;
	uint8_t octets[]; /* the IP packet */
};

struct queue {
	struct held *first, **end;
	size_t count;
};

struct key {
	struct addr dst; /* port 0 */
	uint32_t spi;
};

struct association {
	struct key key;
	struct association *older, *newer; /* by use */
	enum esp_fate state;               /* ESP_HELD: in doubt */
	unsigned icv;
	bool told; /* that it is clear, but not the length of its check value */
	unsigned evidence[ICV_LENGTHS], doubts;
	uint32_t sequence; /* of the packet weighed last: a mirror's copy of it is no more evidence */
	bool weighed;
	struct queue held;
};

struct esp {
	struct table *table;
	struct association *oldest, *newest;
	struct queue ready;
	struct held *given;
	size_t octets;     /* of everything held or ready */
	uint64_t given_up; /* packets of associations in doubt that were held no longer, or never */
};

static void queue_add(struct queue *q, struct held *h)
{
	if (q->end == NULL)
		q->end = &q->first;
	*q->end = h;
	q->end = &h->next;
	h->next = NULL;
	q->count++;
}

static struct held *queue_take(struct queue *q)
{
	struct held *h = q->first;

	if (h == NULL)
		return NULL;
	q->first = h->next;
	if (q->first == NULL)
		q->end = &q->first;
	q->count--;
	return h;
}

static void held_free(struct esp *e, struct held *h)
{
	if (h == NULL)
		return;
	e->octets -= h->len;
	secret_free(h, sizeof(*h) + h->len);
}

static void queue_clear(struct esp *e, struct queue *q)
{
	while (q->first != NULL)
		held_free(e, queue_take(q));
}

struct esp *esp_new(void)
{
	struct esp *e = calloc(1, sizeof(*e));

	if (e != NULL)
		e->table = table_new();
	if (e == NULL || e->table == NULL) {
		free(e);
		return NULL;
	}
	return e;
}

static void unlink_use(struct esp *e, struct association *a)
{
	*(a->older != NULL ? &a->older->newer : &e->oldest) = a->newer;
	*(a->newer != NULL ? &a->newer->older : &e->newest) = a->older;
}

static void link_use(struct esp *e, struct association *a)
{
	a->older = e->newest;
	a->newer = NULL;
	*(e->newest != NULL ? &e->newest->newer : &e->oldest) = a;
	e->newest = a;
}

static struct bytes key_bytes(const struct key *k)
{
	return (struct bytes){ (const uint8_t *)k, sizeof(*k) };
}

static void association_free(struct esp *e, struct association *a)
{
	table_take(e->table, key_bytes(&a->key));
	unlink_use(e, a);
	e->given_up += a->held.count;
	queue_clear(e, &a->held);
	free(a);
}

void esp_free(struct esp *e)
{
	if (e == NULL)
		return;
	while (e->oldest != NULL)
		association_free(e, e->oldest);
	queue_clear(e, &e->ready);
	held_free(e, e->given);
	table_free(e->table);
	free(e);
}

/* The association, made when it is new; NULL: out of memory. */
static struct association *association_of(struct esp *e, const struct addr *dst, uint32_t spi)
{
	struct key key = { .dst = *dst, .spi = spi };
	struct association *a;

	key.dst.port = 0;
	a = table_get(e->table, key_bytes(&key));
	if (a != NULL) {
		unlink_use(e, a);
		link_use(e, a);
		return a;
	}
	if (table_size(e->table) >= ESP_ASSOCIATIONS)
		association_free(e, e->oldest);
	a = calloc(1, sizeof(*a));
	if (a == NULL || !table_put(e->table, key_bytes(&key), a)) {
		free(a);
		return NULL;
	}
	a->key = key;
	a->state = ESP_HELD;
	link_use(e, a);
	return a;
}

static void decide(struct esp *e, struct association *a, enum esp_fate state, unsigned icv)
{
	a->state = state;
	a->icv = icv;
	if (state != ESP_CLEAR) {
		e->given_up += a->held.count;
		queue_clear(e, &a->held);
	}
	while (a->held.first != NULL)
		queue_add(&e->ready, queue_take(&a->held));
}

/* Weighs one more packet of an association in doubt. */
static void weigh(struct esp *e, struct association *a, const struct esp_packet *in)
{
	unsigned enough = a->told ? 1 : ESP_SURE, most = 0;

	if (a->weighed && a->sequence == be32(in->data.at + 4))
		return;
	a->weighed = true;
	a->sequence = be32(in->data.at + 4);
	for (size_t i = 0; i < ICV_LENGTHS; i++) {
		unsigned weight = esp_evidence(in, icv_lengths[i]);

		most = weight > most ? weight : most;
		a->evidence[i] += weight;
		if (a->evidence[i] >= enough) {
			decide(e, a, ESP_CLEAR, icv_lengths[i]);
			return;
		}
	}
	a->doubts += most == 0;
	if (a->doubts >= DOUBTS && !a->told)
		decide(e, a, ESP_SEALED, 0);
}

/* The oldest goes when there are too many of one association; the newest when all of them take too much. */
static void hold(struct esp *e, struct association *a, const struct esp_packet *in)
{
	struct held *h;

	if (a->held.count >= ESP_HOLD) {
		held_free(e, queue_take(&a->held));
		e->given_up++;
	}
	h = e->octets + in->packet.len <= ESP_HOLD_OCTETS ? malloc(sizeof(*h) + in->packet.len) : NULL;
	if (h == NULL) {
		e->given_up++;
		return;
	}
	h->at = in->at;
	h->source = in->source;
	h->len = in->packet.len;
	memcpy(h->octets, in->packet.at, in->packet.len);
	e->octets += h->len;
	queue_add(&a->held, h);
}

enum esp_fate esp_take(struct esp *e, const struct esp_packet *in, struct bytes *inner, uint8_t *next)
{
	struct association *a;

	if (in->data.len < 8)
		return ESP_BROKEN;
	a = association_of(e, &in->dst, be32(in->data.at));
	if (a == NULL)
		return ESP_SEALED;
	if (a->state == ESP_HELD) {
		hold(e, a, in);
		weigh(e, a, in);
		e->given_up -= a->state == ESP_SEALED;                 /* this one is told to be sealed */
		return a->state == ESP_SEALED ? ESP_SEALED : ESP_HELD; /* clear: this one is ready with the others */
	}
	if (a->state == ESP_SEALED)
		return ESP_SEALED;
	return esp_trailer(in->data, a->icv, inner, next) ? ESP_CLEAR : ESP_BROKEN;
}

bool esp_learn(struct esp *e, const struct addr *dst, uint32_t spi, unsigned icv)
{
	struct association *a = association_of(e, dst, spi);

	if (a == NULL)
		return false;
	if (icv != 0) {
		decide(e, a, ESP_CLEAR, icv);
	} else if (a->state != ESP_CLEAR) {
		a->state = ESP_HELD;
		a->told = true;
	}
	return true;
}

uint64_t esp_undecided(const struct esp *e)
{
	uint64_t n = e->given_up;

	for (const struct association *a = e->oldest; a != NULL; a = a->newer)
		n += a->held.count;
	return n;
}

bool esp_next(struct esp *e, struct esp_packet *out)
{
	held_free(e, e->given);
	e->given = queue_take(&e->ready);
	if (e->given == NULL)
		return false;
	*out = (struct esp_packet){
		.at = e->given->at,
		.source = e->given->source,
		.packet = { e->given->octets, e->given->len },
	};
	return true;
}

static enum esp_fate take(struct decap *d, struct walk *w, struct bytes *inner, uint8_t *next)
{
	struct esp_packet in = {
		.at = w->at,
		.source = w->source,
		.packet = w->packet,
		.data = w->in,
		.src = w->src,
		.dst = w->dst,
	};

	d->esp_used = true;
	return esp_take(d->esp, &in, inner, next);
}

static enum layer follow(struct decap *d, struct walk *w, struct bytes inner, uint8_t next)
{
	d->count[COUNT_TUNNELS + DECAP_ESP]++;
	w->in = inner;
	return ip_protocol(d, w, next);
}

enum layer esp_direct(struct decap *d, struct walk *w)
{
	struct bytes inner;
	uint8_t next;

	w->tunnel = DECAP_ESP;
	if (d->options.leave[DECAP_ESP])
		return END_WRAPPED;
	if (w->missing > 0)
		return END_CUT; /* the trailer is not there */
	switch (take(d, w, &inner, &next)) {
	case ESP_CLEAR:
		return follow(d, w, inner, next);
	case ESP_HELD:
		return END_HELD;
	case ESP_SEALED:
		return END_SEALED;
	default:
		return END_BROKEN;
	}
}

/* RFC 3948 2: an SPI of 0 marks IKE, a single octet keeps a binding alive. In doubt the datagram is given as it is. */
enum layer esp_in_udp(struct decap *d, struct walk *w)
{
	struct bytes inner;
	uint8_t next;
	enum esp_fate fate;

	if (w->missing > 0 || w->in.len < 8 || be32(w->in.at) == 0)
		return END_UNKNOWN;
	fate = take(d, w, &inner, &next);
	d->count[COUNT_ESP_SEALED] += fate == ESP_SEALED;
	return fate == ESP_CLEAR ? follow(d, w, inner, next) : END_UNKNOWN;
}
