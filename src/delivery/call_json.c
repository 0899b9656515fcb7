/* call_json: a call as case.json tells it: who spoke to whom, where its keys came from, its streams, and what may be missing. */
#include "call_json.h"

#include <stdlib.h>

#include "value.h"

/* Of one call, or all. */
json_t *call_json_gaps(const struct period_facts *p, const struct held_call *c)
{
	json_t *all = json_array();

	for (size_t i = 0; i < p->gap_count; i++) {
		const struct gap *g = &p->gaps[i];
		json_t *one;

		if (c != NULL && !case_gap_touches(g, c))
			continue;
		one = json_object();
		value_set(one, "from", value_moment(g->from));
		value_set(one, "until", value_moment(g->until));
		value_set(one, "reason", json_string(gap_reason_text(g->reason)));
		value_set(one, "where", value_text(g->where));
		value_set(one, "packets", g->packets != GAP_UNKNOWN ? value_number(g->packets) : NULL);
		json_array_append_new(all, one);
	}
	return all;
}

static json_t *matches_of(const struct holding *h, const struct held_facts *f)
{
	json_t *all = json_array();

	for (size_t i = 0; i < f->match_count; i++) {
		const struct held_match *m = &f->matches[i];
		json_t *one = json_object();

		value_set(one, "target",
			m->target < h->warrant->target_count ? value_text(h->warrant->targets[m->target].uri) : NULL);
		value_set(one, "header", json_string(sip_header_text(m->header)));
		value_set(one, "value", value_text(m->value));
		value_set(one, "side", json_string(hit_side_text(m->side)));
		value_set(one, "verified", json_boolean(m->verified));
		json_array_append_new(all, one);
	}
	return all;
}

static json_t *diversions_of(const struct held_facts *f)
{
	json_t *all = json_array();

	for (size_t i = 0; i < f->diversion_count; i++) {
		const struct held_diversion *d = &f->diversions[i];
		json_t *one = json_object();

		value_set(one, "service", value_text(d->service));
		value_set(one, "cause", d->cause != 0 ? value_number(d->cause) : NULL);
		value_set(one, "by", value_text(d->by));
		value_set(one, "to", value_text(d->to));
		json_array_append_new(all, one);
	}
	return all;
}

/* Where a key came from, or why it did not: the last KMS that was tried gave the answer. */
static json_t *kms_of(const struct held_kms *k)
{
	const struct held_tried *last = k->tried_count > 0 ? &k->tried[k->tried_count - 1] : NULL;
	json_t *one = json_object(), *tried = json_array();

	for (size_t i = 0; i < k->tried_count; i++) {
		json_t *t = json_object();

		value_set(t, "kms", value_text(k->tried[i].kms));
		value_set(t, "by", value_text(k->tried[i].by));
		value_set(t, "outcome", value_text(k->tried[i].outcome));
		json_array_append_new(tried, t);
	}
	value_set(one, "request", value_word(k->request));
	value_set(one, "protocol", value_text(k->protocol));
	value_set(one, "line", k->line != UINT32_MAX ? value_number(k->line) : NULL);
	value_set(one, "kms", value_text(last != NULL ? last->kms : NULL));
	value_set(one, "by", value_text(last != NULL ? last->by : NULL));
	value_set(one, "tried", tried);
	value_set(one, "at", value_moment(k->at));
	value_set(one, "outcome", value_text(k->outcome));
	value_set(one, "mismatch", json_boolean(k->mismatch));
	return one;
}

static json_t *all_kms_of(const struct held_facts *f)
{
	json_t *all = json_array();

	for (size_t i = 0; i < f->kms_count; i++)
		json_array_append_new(all, kms_of(&f->kms[i]));
	return all;
}

static json_t *stream_name(const struct held_stream *s, json_t *one)
{
	char address[ADDR_TEXT], ssrc[11];

	value_set(one, "src", json_string(addr_text(&s->flow.src, address)));
	value_set(one, "dst", json_string(addr_text(&s->flow.dst, address)));
	snprintf(ssrc, sizeof(ssrc), "0x%08x", s->ssrc);
	value_set(one, "ssrc", json_string(ssrc));
	return one;
}

static json_t *stream_of(const struct held_call *c, const struct held_stream *s)
{
	static const char *const states[] = { "clear", "decrypted", "sealed" };
	const struct held_format *f = held_format(s);
	bool sealed = held_state(s) == HELD_SEALED, open = c->growing;
	bool suite = s->suite != SUITE_NONE && s->suite != SUITE_UNSUPPORTED;
	json_t *one = stream_name(s, json_object());

	value_set(one, "direction", json_string(held_direction(c, s)));
	value_set(one, "media", value_word(s->kind));
	value_set(one, "codec", value_word(f != NULL ? f->codec : NULL));
	value_set(one, "profile", value_word(s->profile));
	value_set(one, "suite", suite ? json_string(suite_facts(s->suite)->name) : NULL);
	value_set(one, "key_source", json_string(key_source_text(s->source)));
	value_set(one, "state", json_string(states[held_state(s)]));
	value_set(one, "reason", value_word(seal_reason_text(held_reason(s))));
	value_set(one, "packets", value_number(held_packets(s)));
	value_set(one, "duplicates", value_number(s->duplicates));
	value_set(one, "decrypted", value_number(s->decrypted));
	value_set(one, "failed", value_number(held_failed(s)));
	value_set(one, "lost", open ? NULL : value_number(s->lost));
	value_set(one, "roc_first", sealed || open ? NULL : value_number(s->first_index >> 16));
	value_set(one, "rekeys", value_number(s->rekeys));
	value_set(one, "rtcp_packets", open ? NULL : value_number(s->rtcp));
	value_set(one, "rtcp_decrypted", open ? NULL : value_number(s->rtcp_decrypted));
	value_set(one, "payload_sha256", sealed || open ? NULL : value_hash(s->payload_sha256));
	value_set(one, "rtp_sha256", sealed || open ? NULL : value_hash(s->rtp_sha256));
	value_set(one, "address_learned", json_boolean(s->learned));
	return one;
}

static json_t *streams_of(const struct held_call *c)
{
	json_t *all = json_array();
	size_t count;
	struct held_stream **streams = case_streams(c, &count);

	for (size_t i = 0; streams != NULL && i < count; i++)
		json_array_append_new(all, stream_of(c, streams[i]));
	free(streams);
	return all;
}

/* Interception that began during the call: when, and how many messages of its set-up are in before.pcap. */
static json_t *before_of(const struct held_call *c)
{
	json_t *one = c->before_count > 0 ? json_object() : NULL;

	if (one != NULL) {
		value_set(one, "at", value_moment(c->before_at));
		value_set(one, "messages", value_number(c->before_count));
	}
	return one;
}

json_t *call_json(const struct holding *h, const struct held_call *c, const struct run_facts *run)
{
	const struct held_facts *f = &c->facts;
	json_t *one = json_object(), *ids = json_array();

	for (size_t i = 0; i < f->call_id_count; i++)
		json_array_append_new(ids, value_text(f->call_ids[i]));
	value_set(one, "id", value_number(c->id));
	value_set(one, "call_ids", ids);
	value_set(one, "started", value_moment(f->started));
	value_set(one, "answered", value_moment(f->answered));
	value_set(one, "ended", value_moment(f->ended));
	value_set(one, "outcome", json_string(call_outcome_text(f->outcome)));
	value_set(one, "caller", value_text(f->caller));
	value_set(one, "callee", value_text(f->callee));
	value_set(one, "matched", matches_of(h, f));
	value_set(one, "diversions", diversions_of(f));
	value_set(one, "kms", all_kms_of(f));
	value_set(one, "kms_left_out", value_number(f->kms_left_out));
	value_set(one, "streams", streams_of(c));
	if (run->period != NULL) {
		value_set(one, "growing", json_boolean(c->growing));
		value_set(one, "before", before_of(c));
		value_set(one, "gaps", call_json_gaps(run->period, c));
	}
	return one;
}
