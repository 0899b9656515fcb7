/* case_facts: streams in their order, and the counters of one warrant. */
#include "case_facts.h"

#include <stdlib.h>

static int compare_streams(const void *left, const void *right)
{
	const struct held_stream *a = *(struct held_stream *const *)left, *b = *(struct held_stream *const *)right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

struct held_stream **case_streams(const struct held_call *c, size_t *count)
{
	struct held_stream **all;
	size_t n = 0;

	*count = 0;
	if (c->stream_count == 0)
		return NULL;
	*count = c->stream_count;
	all = calloc(c->stream_count, sizeof(struct held_stream *));
	if (all == NULL)
		return NULL;
	for (uint32_t i = 0; i < c->stream_count; i++)
		if (held_packets(c->streams[i]) > 0)
			all[n++] = c->streams[i];
	qsort(all, n, sizeof(struct held_stream *), compare_streams);
	*count = n;
	return all;
}

size_t case_counters(const struct holding *h, struct counter out[COUNTERS_OWN])
{
	const struct held_counts *n = &h->counts;
	const struct counter own[] = {
		{ "signalling", n->signalling },
		{ "events", n->events },
		{ "rtp", n->rtp },
		{ "rtcp", n->rtcp },
		{ "not_rtp", n->not_rtp },
		{ "decrypted", n->decrypted },
		{ "sealed", n->sealed },
		{ "duplicates", n->duplicates },
		{ "forged", n->forged },
		{ "streams_left_out", n->streams_left_out },
		{ "not_rebuilt", n->not_rebuilt },
		{ "audio_failed", n->audio_failed },
	};

	_Static_assert(sizeof(own) / sizeof(own[0]) == COUNTERS_OWN, "say how many");
	memcpy(out, own, sizeof(own));
	return COUNTERS_OWN;
}

/* As far as is known. */
static bool goes_on(const struct held_call *c)
{
	return c->facts.outcome == CALL_ANSWERED || c->facts.outcome == CALL_INCOMPLETE;
}

bool case_gap_touches(const struct gap *g, const struct held_call *c)
{
	nsec_t from = c->facts.started != NSEC_NONE ? c->facts.started : c->first, until = c->facts.ended;

	if (until == NSEC_NONE && !c->growing)
		until = c->media_last;
	if (from == NSEC_NONE)
		return false;
	if (g->reason == GAP_STATE)
		return from <= g->from && (c->facts.ended != NSEC_NONE ? g->from <= c->facts.ended : goes_on(c));
	return (g->until == NSEC_NONE || g->until >= from) && (until == NSEC_NONE || g->from <= until);
}
