/* held_stream: what is said of a stream, out of what was counted. */
#include "holdings.h"

#include "otway/base/text.h"

bool held_speech(const struct held_format *f)
{
	struct bytes codec = bytes_of(f->codec);

	return !text_is(codec, "telephone-event") && !text_is(codec, "CN") && !(codec.len == 0 && f->pt == 13);
}

enum held_state held_state(const struct held_stream *s)
{
	if (s->decrypted > 0)
		return HELD_DECRYPTED;
	return s->clear > 0 ? HELD_CLEAR : HELD_SEALED; /* sealed: none of it could be opened */
}

uint64_t held_packets(const struct held_stream *s)
{
	return s->clear + s->decrypted + s->sealed;
}

uint64_t held_failed(const struct held_stream *s)
{
	return held_state(s) == HELD_SEALED ? 0 : s->sealed;
}

enum seal_reason held_reason(const struct held_stream *s)
{
	enum seal_reason most = SEAL_NONE;

	if (held_state(s) != HELD_SEALED)
		return SEAL_NONE;
	for (int r = SEAL_NONE + 1; r < SEAL_REASONS; r++)
		if (s->reasons[r] > s->reasons[most])
			most = (enum seal_reason)r;
	return most;
}

const struct held_format *held_format(const struct held_stream *s)
{
	const struct held_format *most = NULL;

	for (uint32_t i = 0; i < s->format_count; i++) {
		const struct held_format *f = &s->formats[i];
		bool better = most == NULL || held_speech(f) > held_speech(most) ||
			      (held_speech(f) == held_speech(most) && f->packets > most->packets);

		if (better)
			most = f;
	}
	return most;
}

const char *held_direction(const struct held_call *c, const struct held_stream *s)
{
	if (c->facts.target == TOWARD_UNKNOWN || s->toward == TOWARD_UNKNOWN)
		return "unknown";
	return c->facts.target == s->toward ? "to-target" : "from-target";
}
