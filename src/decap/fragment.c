/*
 * fragment: one entry for each packet, with a bit for each of its octet groups that is there. Entries stand in a hash
 * table and in one of two lists, incomplete and whole, the oldest first.
 */
#include "fragment.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/table.h"
#include "otway/base/text.h"
#include "otway/model/checksum.h"

#define UNIT      8u /* octets: fragments begin at multiples of it */
#define UNITS     (65536u / UNIT)
#define BUCKETS   4096u
#define FIRST_CAP 4096u

struct entry {
	struct fragment_key key;
	size_t bucket;
	struct entry *next;          /* in the bucket */
	struct entry *older, *newer; /* in its list */
	nsec_t at;                   /* of its first fragment */
	bool whole;
	bool sip; /* its first fragment begins a SIP message in UDP */
	uint8_t protocol;
	size_t header, next_at; /* octets of header; 0: the first fragment is not there */
	size_t end;             /* octets of data; 0: the last fragment is not there */
	size_t high;            /* the furthest octet that is there */
	size_t units;           /* how many are there */
	uint64_t there[UNITS / 64];
	size_t cap;
	uint8_t *octets; /* FRAGMENT_HEADER octets, at the end of which the header stands, then the data */
};

struct list {
	struct entry *oldest, *newest;
	size_t count;
};

struct fragments {
	struct entry *buckets[BUCKETS];
	struct list open, whole;
	size_t octets;
	struct fragment_counts counts;
};

struct fragments *fragments_new(void)
{
	return calloc(1, sizeof(struct fragments));
}

static void list_add(struct list *l, struct entry *e)
{
	e->older = l->newest;
	e->newer = NULL;
	if (l->newest != NULL)
		l->newest->newer = e;
	else
		l->oldest = e;
	l->newest = e;
	l->count++;
}

static void list_take(struct list *l, struct entry *e)
{
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		l->oldest = e->newer;
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		l->newest = e->older;
	l->count--;
}

/* What is there, run by run: the work is that of the octets that came, not of the room that was made for them. */
static bool next_run(const struct entry *e, size_t *from, size_t *to)
{
	size_t word = (*to + 64 * UNIT - 1) / (64 * UNIT);

	while (word < UNITS / 64 && e->there[word] == 0)
		word++;
	if (word == UNITS / 64)
		return false;
	*from = word * 64 * UNIT;
	*to = *from + 64 * UNIT < e->cap - FRAGMENT_HEADER ? *from + 64 * UNIT : e->cap - FRAGMENT_HEADER;
	return true;
}

/* Gives the room back; signalling may bear keys, so what was in it is wiped. */
static void drop_octets(struct entry *e)
{
	size_t from, to = 0;

	if (e->octets == NULL)
		return;
	secret_wipe(e->octets, FRAGMENT_HEADER);
	while (next_run(e, &from, &to))
		secret_wipe(e->octets + FRAGMENT_HEADER + from, to - from);
	free(e->octets);
}

static void entry_free(struct fragments *f, struct entry *e)
{
	struct entry **at = &f->buckets[e->bucket];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	list_take(e->whole ? &f->whole : &f->open, e);
	f->octets -= e->cap;
	drop_octets(e);
	free(e);
}

/* What was there of an incomplete packet is given up. */
static void entry_lose(struct fragments *f, struct entry *e)
{
	f->counts.sip_lost += e->sip;
	entry_free(f, e);
}

void fragments_free(struct fragments *f)
{
	if (f == NULL)
		return;
	while (f->open.oldest != NULL)
		entry_free(f, f->open.oldest);
	while (f->whole.oldest != NULL)
		entry_free(f, f->whole.oldest);
	free(f);
}

/* Of another time: too long ago, or from before the clock was set back. */
static bool is_past(const struct entry *e, nsec_t at)
{
	nsec_t age;

	return e != NULL && (__builtin_sub_overflow(at, e->at, &age) || age > FRAGMENT_SPAN || age < -FRAGMENT_SPAN);
}

static void expire(struct fragments *f, nsec_t at)
{
	for (; is_past(f->open.oldest, at); f->counts.expired++)
		entry_lose(f, f->open.oldest);
	while (is_past(f->whole.oldest, at))
		entry_free(f, f->whole.oldest);
}

static struct entry *entry_new(struct fragments *f, const struct fragment_key *key, size_t bucket, nsec_t at)
{
	struct entry *e;

	for (; f->open.count >= FRAGMENT_DATAGRAMS; f->counts.evicted++)
		entry_lose(f, f->open.oldest);
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->key = *key;
	e->at = at;
	e->bucket = bucket;
	e->next = f->buckets[bucket];
	f->buckets[bucket] = e;
	list_add(&f->open, e);
	return e;
}

static struct entry *entry_find(struct fragments *f, const struct fragment_key *key, size_t bucket)
{
	struct entry *e = f->buckets[bucket];

	while (e != NULL && memcmp(&e->key, key, sizeof(*key)) != 0)
		e = e->next;
	return e;
}

/* Room for data up to `end`; the oldest others go when all of them take too much. */
static bool make_room(struct fragments *f, struct entry *e, size_t end)
{
	size_t cap = e->cap > 0 ? e->cap : FIRST_CAP, from, to = 0;
	uint8_t *octets;

	while (cap < FRAGMENT_HEADER + end)
		cap *= 2;
	if (cap == e->cap)
		return true;
	octets = malloc(cap);
	if (octets == NULL)
		return false;
	if (e->cap > 0)
		memcpy(octets, e->octets, FRAGMENT_HEADER);
	while (e->cap > 0 && next_run(e, &from, &to))
		memcpy(octets + FRAGMENT_HEADER + from, e->octets + FRAGMENT_HEADER + from, to - from);
	drop_octets(e);
	f->octets += cap - e->cap;
	e->octets = octets;
	e->cap = cap;
	while (f->octets > FRAGMENT_OCTETS && f->whole.count > FRAGMENT_DONE / 2)
		entry_free(f, f->whole.oldest);
	for (; f->octets > FRAGMENT_OCTETS && f->open.oldest != e; f->counts.evicted++)
		entry_lose(f, f->open.oldest);
	return true;
}

/* The same octets at the same place as in a packet that is whole: a copy, as mirrors make them. */
static bool is_copy(const struct entry *e, const struct fragment *in)
{
	return in->offset + in->data.len <= e->end && in->more == (in->offset + in->data.len < e->end) &&
	       memcmp(e->octets + FRAGMENT_HEADER + in->offset, in->data.at, in->data.len) == 0;
}

/* Copies what was not there yet. Returns how many units were there already; *differs when they were not the same. */
static size_t fill(struct entry *e, const struct fragment *in, bool *differs)
{
	size_t there = 0;

	for (size_t from = 0; from < in->data.len; from += UNIT) {
		size_t unit = (in->offset + from) / UNIT, len = in->data.len - from < UNIT ? in->data.len - from : UNIT;
		uint64_t bit = UINT64_C(1) << (unit % 64);

		uint8_t *to = e->octets + FRAGMENT_HEADER + in->offset + from;

		if ((e->there[unit / 64] & bit) != 0) {
			there++;
			*differs |= memcmp(to, in->data.at + from, len) != 0;
			continue;
		}
		e->there[unit / 64] |= bit;
		memcpy(to, in->data.at + from, len);
		e->units++;
	}
	return there;
}

/* Lengths and places a fragment cannot have, by itself or beside those that are there. */
static bool fits(const struct entry *e, const struct fragment *in)
{
	size_t end = in->offset + in->data.len;

	if (in->data.len == 0 || (in->more && in->data.len % UNIT != 0) || end > 65535 ||
		in->header.len > FRAGMENT_HEADER)
		return false;
	if (e == NULL)
		return true;
	if (!in->more && (end < e->high || (e->end != 0 && e->end != end)))
		return false;
	return e->end == 0 || end <= e->end;
}

/* RFC 3261 7: behind the UDP header the version, or a method in capitals and a URI of a kind that SIP requests. */
static bool begins_sip(const struct fragment *in)
{
	static const char *const behind[] = { " sip:", " sips:", " tel:", " urn:" };
	struct bytes text = bytes_part(in->data, 8, SIZE_MAX);
	size_t method = 0;

	if (in->protocol != IP_PROTO_UDP)
		return false;
	if (text_begins(text, "SIP/2.0 "))
		return true;
	while (method < text.len && method < 32 && text.at[method] >= 'A' && text.at[method] <= 'Z')
		method++;
	for (size_t i = 0; method > 0 && i < sizeof(behind) / sizeof(behind[0]); i++)
		if (text_begins(bytes_part(text, method, SIZE_MAX), behind[i]))
			return true;
	return false;
}

static void keep_header(struct entry *e, const struct fragment *in)
{
	if (in->offset != 0 || e->header != 0)
		return;
	memcpy(e->octets + FRAGMENT_HEADER - in->header.len, in->header.at, in->header.len);
	e->header = in->header.len;
	e->next_at = in->next_at;
	e->protocol = in->protocol;
	e->sip = begins_sip(in);
}

/* The header says now what is true of the whole. False: it would be longer than a packet can be. */
static bool mend_header(struct entry *e, uint8_t *p)
{
	if (e->key.src.family == 6) {
		if (e->header - 40 + e->end > 65535)
			return false;
		put_be16(p + 4, (uint16_t)(e->header - 40 + e->end));
		p[e->next_at] = e->protocol;
		return true;
	}
	if (e->header + e->end > 65535)
		return false;
	put_be16(p + 2, (uint16_t)(e->header + e->end));
	put_be16(p + 6, 0);
	put_be16(p + 10, 0);
	put_be16(p + 10, checksum_value(checksum_add(0, (struct bytes){ p, e->header })));
	return true;
}

static enum fragment_fate complete(struct fragments *f, struct entry *e, struct bytes *whole)
{
	uint8_t *p = e->octets + FRAGMENT_HEADER - e->header;

	if (!mend_header(e, p)) {
		entry_free(f, e);
		return FRAGMENT_BROKEN;
	}
	f->counts.rejoined++;
	*whole = (struct bytes){ p, e->header + e->end };
	list_take(&f->open, e);
	e->whole = true;
	list_add(&f->whole, e);
	while (f->whole.count > FRAGMENT_DONE)
		entry_free(f, f->whole.oldest);
	return FRAGMENT_WHOLE;
}

static enum fragment_fate store(struct fragments *f, struct entry *e, const struct fragment *in, struct bytes *whole)
{
	size_t end = in->offset + in->data.len, units = (in->data.len + UNIT - 1) / UNIT;
	bool differs = false;
	size_t there = fill(e, in, &differs);

	f->counts.twice += there == units && !differs;
	f->counts.overlapping += differs || (there > 0 && there < units);
	keep_header(e, in);
	if (end > e->high)
		e->high = end;
	if (!in->more)
		e->end = end;
	if (e->end == 0 || e->header == 0 || e->units < (e->end + UNIT - 1) / UNIT)
		return FRAGMENT_HELD;
	return complete(f, e, whole);
}

enum fragment_fate fragments_add(struct fragments *f, const struct fragment *in, nsec_t at, struct bytes *whole)
{
	size_t bucket = table_hash((struct bytes){ (const uint8_t *)&in->key, sizeof(in->key) }) % BUCKETS;
	struct entry *e;

	expire(f, at);
	e = entry_find(f, &in->key, bucket);
	if (e != NULL && e->whole) {
		if (is_copy(e, in)) {
			f->counts.twice++;
			return FRAGMENT_HELD;
		}
		entry_free(f, e); /* the number is used anew */
		e = NULL;
	}
	if (!fits(e, in))
		return FRAGMENT_BROKEN;
	if (e == NULL)
		e = entry_new(f, &in->key, bucket, at);
	if (e == NULL || !make_room(f, e, in->offset + in->data.len))
		return FRAGMENT_HELD; /* out of memory: it is as if it had been lost */
	return store(f, e, in, whole);
}

struct fragment_counts fragments_counts(const struct fragments *f)
{
	struct fragment_counts counts = f->counts;

	counts.incomplete = f->open.count;
	for (const struct entry *e = f->open.oldest; e != NULL; e = e->newer)
		counts.sip_lost += e->sip;
	return counts;
}
