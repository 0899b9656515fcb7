/*
 * decoder: one batch of items goes to the process, which reads it whole before it answers; so neither ever waits for
 * the other with a full socket. A reply is its length, and for each item a count of samples and the samples.
 */
#include "decoder.h"

#include <stdlib.h>

#include "confine.h"
#include "decode.h"

enum { BATCH_ITEMS = 256, BATCH_OCTETS = 64 * 1024, REPLY_MAX = 1 << 28 };

struct decoder {
	struct confined process;
	uint32_t rate;
	decoder_take *take;
	void *context;
	bool failed;
	struct buf out;
	uint32_t items;
	struct decoder_tag tags[BATCH_ITEMS];
	struct decoder_tag last;
	struct buf in, samples;
};

static struct decoder *decoder_new(void)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (d != NULL && !confined_start(&d->process, "otway-decode")) {
		free(d);
		d = NULL;
	}
	return d;
}

struct decoder *decoder_begin(struct decoder **kept, uint32_t rate, decoder_take *take, void *context)
{
	if (*kept != NULL && ((*kept)->failed || (*kept)->items > 0)) { /* what it is at, nobody knows */
		decoder_free(*kept);
		*kept = NULL;
	}
	if (*kept == NULL)
		*kept = decoder_new();
	if (*kept == NULL)
		return NULL;
	(*kept)->rate = rate;
	(*kept)->take = take;
	(*kept)->context = context;
	(*kept)->last = (struct decoder_tag){ 0 };
	return *kept;
}

void decoder_free(struct decoder *d)
{
	if (d == NULL)
		return;
	confined_end(&d->process);
	buf_clear(&d->out);
	buf_clear(&d->in);
	buf_clear(&d->samples);
	free(d);
}

/* The samples of one item, off the front of what came back. */
static bool hand_over(struct decoder *d, const struct decoder_tag *tag, struct bytes *rest)
{
	uint32_t count;
	size_t len;

	if (rest->len < sizeof(count))
		return false;
	memcpy(&count, rest->at, sizeof(count));
	*rest = bytes_part(*rest, sizeof(count), rest->len);
	if (count > rest->len / sizeof(int16_t))
		return false;
	len = count * sizeof(int16_t);
	d->samples.len = 0;
	if (count > 0 && !buf_add(&d->samples, rest->at, len)) /* from wherever it lay to where samples may lie */
		return false;
	*rest = bytes_part(*rest, len, rest->len);
	return count == 0 || d->take(d->context, tag, (const int16_t *)(const void *)d->samples.at, count);
}

/* What came back for a whole batch. */
static bool receive(struct decoder *d)
{
	uint64_t len;
	struct bytes rest;

	if (!confined_receive(&d->process, &len, sizeof(len)) || len > REPLY_MAX)
		return false;
	buf_reset(&d->in);
	if (buf_room(&d->in, len) == NULL || !confined_receive(&d->process, d->in.at, len))
		return false;
	rest = (struct bytes){ d->in.at, len };
	for (uint32_t i = 0; i < d->items; i++)
		if (!hand_over(d, &d->tags[i], &rest))
			return false;
	return true;
}

bool decoder_flush(struct decoder *d)
{
	struct batch head = { .items = d->items, .len = (uint32_t)d->out.len, .rate = d->rate };

	if (d->failed || d->items == 0)
		return !d->failed;
	d->failed = !confined_send(&d->process, (struct bytes){ (uint8_t *)&head, sizeof(head) }) ||
		    !confined_send(&d->process, buf_bytes(&d->out)) || !receive(d);
	d->items = 0;
	buf_reset(&d->out);
	return !d->failed;
}

static bool put(struct decoder *d, enum item_kind kind, const struct decoder_tag *tag, struct bytes octets)
{
	struct item item = { .kind = kind, .len = (uint32_t)octets.len };

	if (d->failed)
		return false;
	buf_add(&d->out, &item, sizeof(item));
	buf_add(&d->out, octets.at, octets.len);
	d->failed = d->out.failed;
	d->tags[d->items++] = *tag;
	if (d->items == BATCH_ITEMS || d->out.len > BATCH_OCTETS)
		return decoder_flush(d);
	return !d->failed;
}

bool decoder_format(struct decoder *d, const struct held_format *f)
{
	/* What comes out belongs behind the payload before it. */
	return put(d, ITEM_FORMAT, &d->last, (struct bytes){ (const uint8_t *)f, f != NULL ? sizeof(*f) : 0 });
}

bool decoder_payload(struct decoder *d, const struct decoder_tag *tag, struct bytes payload)
{
	d->last = *tag;
	return put(d, ITEM_PAYLOAD, tag, payload);
}
