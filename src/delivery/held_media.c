/* held_media: media packets taken in: what they say of their stream noted, themselves put aside. */
#include "holdings.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/text.h"

#include "blot.h"

/* What a stream is found by. No padding: it is hashed as it lies in memory. */
struct stream_key {
	uint32_t call, ssrc;
	struct flow flow;
};

struct held_stream *holding_stream(
	const struct holding *h, const struct held_call *c, const struct flow *flow, uint32_t ssrc)
{
	struct stream_key key = { c->number, ssrc, *flow };

	return table_get(h->by_stream, (struct bytes){ (uint8_t *)&key, sizeof(key) });
}

/* Under its flow, and, when it is the first, under that of its hosts without ports, and under its SSRC alone. */
static bool index_stream(struct holding *h, const struct held_call *c, struct held_stream *s)
{
	struct stream_key key = { c->number, s->ssrc, s->flow };
	struct bytes at = { (uint8_t *)&key, sizeof(key) };

	if (!table_put(h->by_stream, at, s))
		return false;
	key.flow.src.port = key.flow.dst.port = 0;
	if (table_get(h->by_stream, at) == NULL && !table_put(h->by_stream, at, s))
		return false;
	key.flow = (struct flow){ 0 };
	return table_get(h->by_stream, at) != NULL || table_put(h->by_stream, at, s);
}

struct held_stream *holding_stream_add(struct holding *h, struct held_call *c, const struct media_packet *m)
{
	struct held_stream **grew =
		holding_grown(c->streams, c->stream_count, &c->stream_cap, sizeof(struct held_stream *));
	struct held_stream *s = grew != NULL ? calloc(1, sizeof(*s)) : NULL;

	if (grew != NULL)
		c->streams = grew;
	if (s == NULL)
		return NULL;
	s->order = c->stream_count;
	s->flow = m->flow;
	s->ssrc = m->ssrc;
	s->first = s->last = NSEC_NONE;
	s->format_last = HOLDING_NONE;
	c->streams[c->stream_count++] = s;
	return index_stream(h, c, s) ? s : NULL;
}

/* The stream of an RTP packet. *out is NULL when the call has too many. */
static int stream_of(
	struct holding *h, struct held_call *c, const struct media_packet *m, struct held_stream **out, struct err *err)
{
	*out = holding_stream(h, c, &m->flow, m->ssrc);
	if (*out != NULL || c->stream_count >= HOLDING_STREAMS)
		return 0;
	*out = holding_stream_add(h, c, m);
	return *out == NULL ? err_set(err, "out of memory") : 0;
}

static bool format_is(const struct held_format *f, const struct media_packet *m)
{
	return f->pt == m->pt && f->clock == m->clock && f->channels == m->channels &&
	       strncmp(f->codec, m->codec, sizeof(f->codec) - 1) == 0 &&
	       strncmp(f->fmtp, m->fmtp != NULL ? m->fmtp : "", sizeof(f->fmtp) - 1) == 0;
}

/* Which format of the stream a packet is in; HOLDING_NONE: there are too many. */
static int format_of(struct held_stream *s, const struct media_packet *m, uint32_t *out, struct err *err)
{
	struct held_format *f;

	*out = HOLDING_NONE;
	if (s->format_last < s->format_count && format_is(&s->formats[s->format_last], m)) {
		*out = s->format_last;
		return 0;
	}
	for (uint32_t i = 0; i < s->format_count && *out == HOLDING_NONE; i++)
		if (format_is(&s->formats[i], m))
			*out = i;
	if (*out == HOLDING_NONE && s->format_count < HOLDING_FORMATS) {
		f = realloc(s->formats, (s->format_count + 1) * sizeof(*f));
		if (f == NULL)
			return err_set(err, "out of memory");
		s->formats = f;
		f = &s->formats[s->format_count];
		*f = (struct held_format){ .pt = m->pt, .channels = m->channels, .clock = m->clock };
		text_copy(bytes_of(m->codec), f->codec, sizeof(f->codec));
		text_copy(bytes_of(m->fmtp), f->fmtp, sizeof(f->fmtp));
		*out = s->format_count++;
	}
	s->format_last = *out;
	return 0;
}

/* Was the packet under a cipher that hides anything (RFC 4568 6.3.3, 6.3.4; RFC 3711 4.1.3)? */
static bool opened(const struct media_packet *m)
{
	bool bare = m->sort == MEDIA_RTCP ? m->key.unencrypted_srtcp : m->key.unencrypted_srtp;

	return m->fate == MEDIA_CLEAR && m->key_used && !suite_facts(m->key.suite)->null_cipher && !bare;
}

/* Notes a key that opened something: wherever it came from, it goes out of the signalling. */
static int note_key(struct holding *h, struct held_stream *s, const struct media_packet *m, struct err *err)
{
	const struct suite_facts *f = suite_facts(m->key.suite);
	uint8_t material[32 + 14];
	bool ok;

	if (!m->key_used || h->keys == NULL)
		return 0;
	if (s != NULL && srtp_key_same(&s->key, &m->key))
		return 0;
	if (s != NULL)
		s->key = m->key;
	if (m->key.print)
		return blot_print(h->keys, m->key.key, h) ? 0 : err_set(err, "out of memory");
	memcpy(material, m->key.key, f->key);
	memcpy(material + f->key, m->key.salt, f->salt);
	ok = table_put(h->keys, (struct bytes){ material, (size_t)f->key + f->salt }, h);
	secret_wipe(material, sizeof(material));
	return ok ? 0 : err_set(err, "out of memory");
}

/* What a packet says of its stream; the last one says it best. */
static void stream_says(struct held_stream *s, const struct media_packet *m)
{
	if (m->toward != TOWARD_UNKNOWN)
		s->toward = m->toward;
	if (m->kind[0] != '\0')
		text_copy(bytes_of(m->kind), s->kind, sizeof(s->kind));
	if (m->profile[0] != '\0')
		text_copy(bytes_of(m->profile), s->profile, sizeof(s->profile));
	if (m->key_used || !s->opened_any) {
		s->suite = m->key_used ? m->key.suite : m->suite;
		s->source = m->key_used ? m->key.source : m->source;
	}
	s->opened_any = s->opened_any || m->key_used;
	s->learned = m->learned;
	if (m->rekeys > s->rekeys)
		s->rekeys = m->rekeys;
}

static void stream_counts(struct held_call *c, struct held_stream *s, const struct media_packet *m)
{
	if (opened(m))
		s->decrypted++;
	else if (m->fate == MEDIA_CLEAR)
		s->clear++;
	else
		s->sealed++;
	if (m->fate == MEDIA_SEALED && m->reason != SEAL_NONE && (unsigned int)m->reason < SEAL_REASONS)
		s->reasons[m->reason]++;
	s->first = s->first == NSEC_NONE || m->at < s->first ? m->at : s->first;
	s->last = s->last == NSEC_NONE || m->at > s->last ? m->at : s->last;
	c->media_first = c->media_first == NSEC_NONE || m->at < c->media_first ? m->at : c->media_first;
	c->media_last = c->media_last == NSEC_NONE || m->at > c->media_last ? m->at : c->media_last;
}

static void count(struct held_counts *n, const struct media_packet *m)
{
	n->rtp += m->sort == MEDIA_RTP && m->fate != MEDIA_BROKEN;
	n->rtcp += m->sort == MEDIA_RTCP && m->fate != MEDIA_BROKEN;
	n->not_rtp += m->sort == MEDIA_NEITHER || m->fate == MEDIA_BROKEN;
	n->decrypted += opened(m);
	n->sealed += m->fate == MEDIA_SEALED;
	n->duplicates += m->fate == MEDIA_TWICE;
	n->forged += m->fate == MEDIA_FORGED;
}

static int spool_media(struct holding *h, struct held_call *c, uint32_t stream, uint32_t format,
	const struct media_packet *m, struct err *err)
{
	struct spooled_media head;
	bool as_came = m->fate != MEDIA_CLEAR || (!m->key_used && bytes_equal(m->clear, m->payload));
	struct bytes clear = as_came ? (struct bytes){ NULL, 0 } : m->clear;

	if (h->spools == NULL)
		return 0;
	if (c->media == NULL && (c->media = spool_new(h->spools)) == NULL)
		return err_set(err, "out of memory");
	memset(&head, 0, sizeof(head));
	head.flow = m->flow;
	head.index = m->index;
	head.stream = stream;
	head.format = format;
	head.ssrc = m->ssrc;
	head.timestamp = m->timestamp;
	head.packet_len = (uint32_t)m->packet.len;
	holding_place(m->packet, m->payload, &head.payload_at, &head.payload_len);
	head.clear_len = (uint32_t)clear.len;
	holding_place(m->clear, m->media, &head.media_at, &head.media_len);
	head.sort = (uint8_t)m->sort;
	head.fate = (uint8_t)m->fate;
	head.decrypted = opened(m);
	return spool_add(
		c->media, m->at, (struct bytes[]){ { (uint8_t *)&head, sizeof(head) }, m->packet, clear }, 3, err);
}

static int take_rtp(struct holding *h, struct held_call *c, const struct media_packet *m, struct err *err)
{
	struct held_stream *s;
	uint32_t format = HOLDING_NONE;

	if (stream_of(h, c, m, &s, err) < 0 || note_key(h, s, m, err) < 0)
		return -1;
	if (s == NULL) {
		h->counts.streams_left_out++;
	} else if (m->fate == MEDIA_TWICE) {
		s->duplicates++;
	} else {
		stream_says(s, m);
		stream_counts(c, s, m);
		if (format_of(s, m, &format, err) < 0)
			return -1;
		if (format != HOLDING_NONE)
			s->formats[format].packets++;
	}
	if (m->fate == MEDIA_TWICE)
		return 0;
	return spool_media(h, c, s != NULL ? s->order : HOLDING_NONE, format, m, err);
}

int holding_take_media(struct holding *h, struct held_call *c, const struct media_packet *m, struct err *err)
{
	count(&h->counts, m);
	if (m->fate == MEDIA_FORGED)
		return 0;
	if (m->sort == MEDIA_RTP && m->fate != MEDIA_BROKEN)
		return take_rtp(h, c, m, err);
	if (m->fate == MEDIA_TWICE)
		return 0;
	if (note_key(h, NULL, m, err) < 0)
		return -1;
	return spool_media(h, c, HOLDING_NONE, HOLDING_NONE, m, err);
}
