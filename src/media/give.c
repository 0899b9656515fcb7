/* give: what a packet that is ready is told to be, and to whom it goes. */
#include "otway/base/secret.h"
#include "state.h"

/* What the place says of a packet. */
static void fill_description(const struct parcel *p, struct media_packet *out)
{
	const struct place *place = p->stream != NULL ? stream_place(p->stream, p->pt) : NULL;
	const struct media_format *format =
		p->stream != NULL && p->sort == MEDIA_RTP ? stream_format(p->stream, p->pt) : NULL;

	out->learned = p->stream != NULL && p->stream->learned;
	out->toward = p->stream != NULL ? p->stream->toward : TOWARD_UNKNOWN;
	out->kind = place != NULL ? place->kind : "";
	out->profile = place != NULL ? place->profile : "";
	out->codec = format != NULL ? format->name : "";
	out->clock = format != NULL ? format->clock : 0;
	out->channels = format != NULL ? format->channels : 0;
	out->fmtp = format != NULL ? format->fmtp : "";
}

/* The key that opened it, or the one that opens the stream. */
static void fill_key(const struct parcel *p, bool print, struct media_packet *out)
{
	const struct stream *s = p->stream;
	const struct ring_key *key = p->key;

	out->key_used = key != NULL;
	if (key != NULL)
		out->key = print ? key->print : key->given.key;
	else if (s != NULL && s->opened_count > 0 && p->fate != MEDIA_CLEAR)
		key = s->opened[0].key;
	out->suite = key != NULL ? key->given.key.suite : SUITE_NONE;
	out->source = key != NULL ? key->given.key.source : KEY_NONE;
	out->rekeys = s != NULL && s->keys_used > 0 ? s->keys_used - 1 : 0;
}

static void fill(const struct parcel *p, bool print, struct media_packet *out)
{
	const struct stream *s = p->stream;
	int64_t index = s != NULL ? p->place + s->base : 0;

	secret_wipe(out, sizeof(*out));
	out->at = p->at;
	out->call = p->call->number;
	out->stream = s != NULL && p->fate != MEDIA_FORGED && p->fate != MEDIA_HELD ? s->number : 0;
	out->sort = p->sort;
	out->fate = p->fate;
	out->reason = p->reason;
	out->flow = p->flow;
	out->packet = (struct bytes){ p->data, p->packet_len };
	out->payload = parcel_payload(p);
	out->clear = parcel_clear(p);
	out->ssrc = p->ssrc;
	if (p->sort == MEDIA_RTP) {
		out->index = (uint64_t)(index >= 0 ? index : index & 0xffff);
		out->pt = p->pt;
		out->timestamp = p->timestamp;
		if (p->fate == MEDIA_CLEAR)
			out->media = rtp_media(out->clear);
	}
	fill_description(p, out);
	fill_key(p, print, out);
}

static size_t covers_of(struct media *m, const struct parcel *p)
{
	size_t count = 0;

	for (size_t i = 0; i < p->call->cover_count; i++)
		if (p->call->covers[i].from <= p->at && p->at < p->call->covers[i].until)
			m->covers[count++] = p->call->covers[i];
	return count;
}

bool media_next(struct media *m, const struct media_packet **out, const struct cover **covers, size_t *count)
{
	media_take_back(m);
	while ((m->given = queue_pop(&m->ready)) != NULL) {
		*count = covers_of(m, m->given);
		if (*count > 0) {
			fill(m->given, m->options.prints, &m->out);
			*out = &m->out;
			*covers = m->covers;
			return true;
		}
		media_take_back(m);
	}
	return false;
}
