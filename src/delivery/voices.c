/* voices: every candidate is held against those that were chosen before it. */
#include "voices.h"

#include <stdlib.h>

#include "otway/base/text.h"

#include "case_facts.h"
#include "codec_format.h"

/* Is there a format in which it speaks that can be decoded? */
static bool decodable(const struct held_stream *s)
{
	uint32_t rate;

	for (uint32_t i = 0; i < s->format_count; i++)
		if (held_speech(&s->formats[i]) && codec_known(&s->formats[i], &rate))
			return true;
	return false;
}

static bool speaks(const struct held_stream *s)
{
	bool audio = s->kind[0] == '\0' || text_is(bytes_of(s->kind), "audio");

	return audio && held_state(s) != HELD_SEALED && s->clear + s->decrypted > 0;
}

/* Do the two lie beside each other for more than half of the shorter one? One that goes on where another ends does
 * not. */
static bool at_once(const struct held_stream *a, const struct held_stream *b)
{
	nsec_t from = a->first > b->first ? a->first : b->first, to = a->last < b->last ? a->last : b->last;
	nsec_t la = a->last - a->first, lb = b->last - b->first, shorter = la < lb ? la : lb;

	return to >= from && (to - from) >= shorter / 2;
}

static bool relayed(const struct held_stream *a, const struct held_stream *b)
{
	bool chained = addr_same_host(&a->flow.dst, &b->flow.src) || addr_same_host(&b->flow.dst, &a->flow.src);
	bool same = a->ssrc == b->ssrc || memcmp(a->payload_sha256, b->payload_sha256, SHA256_LEN) == 0;

	return a->toward == b->toward && at_once(a, b) && (same || (chained && a->toward != TOWARD_UNKNOWN));
}

/* Of two hops of a voice: with more of it; else nearer to who speaks. */
static bool better(const struct held_stream *a, const struct held_stream *b)
{
	uint64_t na = a->clear + a->decrypted, nb = b->clear + b->decrypted;

	if (na != nb)
		return na > nb;
	return addr_same_host(&a->flow.dst, &b->flow.src) && !addr_same_host(&b->flow.dst, &a->flow.src);
}

static size_t add(struct voice *all, size_t count, const struct held_stream *s)
{
	struct voice one = { s, s->toward != TOWARD_CALLER, s->toward != TOWARD_CALLEE };

	for (size_t i = 0; i < count; i++) {
		if (!relayed(all[i].stream, s))
			continue;
		if (better(s, all[i].stream))
			all[i] = one;
		return count;
	}
	if (count < VOICES)
		all[count++] = one;
	return count;
}

size_t voices_choose(const struct held_call *c, struct voice out[VOICES], bool *refused)
{
	size_t count, chosen = 0;
	struct held_stream **streams = case_streams(c, &count);

	*refused = false;
	for (size_t i = 0; streams != NULL && i < count; i++) {
		if (!speaks(streams[i]))
			continue;
		if (decodable(streams[i]))
			chosen = add(out, chosen, streams[i]);
		else
			*refused = true;
	}
	free(streams);
	return chosen;
}
