/*
 * msg_media: a media packet of a record; every packet of every intercepted call is one of these. What lies within the packet is said by
 * where, not once more: what was never encrypted goes over once.
 */
#include "msg_parts.h"

enum { KEY_USED = 1, LEARNED = 2, CLEAR_OWN = 4 };
enum { SRTP = 1, SRTCP = 2, TAG = 4 }; /* what is not encrypted, or not authenticated */
#define PRINTS (2 * KEY_PRINT)

static bool within(struct bytes whole, struct bytes part)
{
	uintptr_t from = (uintptr_t)whole.at, at = (uintptr_t)part.at;

	return part.at == NULL || (at >= from && at - from <= whole.len && part.len <= whole.len - (at - from));
}

/* No key leaves by a record. */
static void put_print(struct buf *out, const struct srtp_key *k)
{
	struct srtp_key print;
	uint8_t *at = put_room(out, 2 + PRINTS);

	if (at == NULL)
		return;
	srtp_key_print(k, &print);
	at[0] = (uint8_t)print.suite;
	at[1] = (uint8_t)print.source;
	memcpy(at + 2, print.key, PRINTS);
	put_u8(out, (print.unencrypted_srtp ? SRTP : 0) | (print.unencrypted_srtcp ? SRTCP : 0) |
			    (print.unauthenticated_srtp ? TAG : 0));
}

static void get_print(struct octets *in, struct srtp_key *k)
{
	const uint8_t *at;
	unsigned bits;

	*k = (struct srtp_key){ .suite = (enum srtp_suite)get_among(in, 0, SUITES), .print = true };
	k->source = (enum key_source)get_among(in, 0, KEY_FILE + 1);
	at = get_octets(in, PRINTS);
	bits = get_bits(in, 3);
	if (at != NULL)
		memcpy(k->key, at, PRINTS);
	k->unencrypted_srtp = (bits & SRTP) != 0;
	k->unencrypted_srtcp = (bits & SRTCP) != 0;
	k->unauthenticated_srtp = (bits & TAG) != 0;
}

static void put_facts(struct buf *out, const struct media_packet *m)
{
	put_nsec(out, m->at);
	put_u32(out, m->call);
	put_u32(out, m->stream);
	put_u8(out, m->sort);
	put_u8(out, m->fate);
	put_u8(out, m->reason);
	put_flow(out, &m->flow);
	put_u32(out, m->ssrc);
	put_u64(out, m->index);
	put_u8(out, m->pt);
	put_u32(out, m->timestamp);
	put_u8(out, m->toward);
	put_word(out, m->kind);
	put_word(out, m->profile);
	put_word(out, m->codec);
	put_u32(out, m->clock);
	put_u8(out, m->channels);
	put_word(out, m->fmtp);
	put_u8(out, m->suite);
	put_u8(out, m->source);
	put_u32(out, m->rekeys);
}

bool put_media(struct buf *out, const struct media_packet *m)
{
	bool own = !within(m->packet, m->clear), ok;

	put_facts(out, m);
	put_u8(out, (m->key_used ? KEY_USED : 0) | (m->learned ? LEARNED : 0) | (own ? CLEAR_OWN : 0));
	if (m->key_used)
		put_print(out, &m->key);
	put_bytes(out, m->packet);
	ok = put_within(out, m->packet, m->payload);
	if (own)
		put_bytes(out, m->clear);
	else
		ok = put_within(out, m->packet, m->clear) && ok;
	return put_within(out, m->clear, m->media) && ok;
}

static void get_facts(struct octets *in, struct media_packet *m)
{
	m->at = get_nsec(in);
	m->call = get_u32(in);
	m->stream = get_u32(in);
	m->sort = (enum media_sort)get_among(in, 0, MEDIA_NEITHER + 1);
	m->fate = (enum media_fate)get_among(in, 0, MEDIA_FATES);
	m->reason = (enum seal_reason)get_among(in, 0, SEAL_REASONS);
	m->flow = get_flow(in);
	m->ssrc = get_u32(in);
	m->index = get_u64(in);
	m->pt = get_u8(in);
	m->timestamp = get_u32(in);
	m->toward = (enum toward)get_among(in, 0, TOWARD_CALLEE + 1);
	m->kind = get_word(in);
	m->profile = get_word(in);
	m->codec = get_word(in);
	m->clock = get_u32(in);
	m->channels = get_u8(in);
	m->fmtp = get_word(in);
	m->suite = (enum srtp_suite)get_among(in, 0, SUITES);
	m->source = (enum key_source)get_among(in, 0, KEY_FILE + 1);
	m->rekeys = get_u32(in);
}

void get_media(struct octets *in, struct media_packet *m)
{
	unsigned bits;

	get_facts(in, m);
	bits = get_bits(in, 3);
	m->key_used = (bits & KEY_USED) != 0;
	m->learned = (bits & LEARNED) != 0;
	if (m->key_used)
		get_print(in, &m->key);
	m->packet = get_bytes(in);
	m->payload = get_within(in, m->packet);
	m->clear = (bits & CLEAR_OWN) != 0 ? get_bytes(in) : get_within(in, m->packet);
	m->media = get_within(in, m->clear);
}
