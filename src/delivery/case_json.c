/* case_json: the facts as they stand, unknown ones null, in the order of the contract. */
#include "case_json.h"

#include <stdlib.h>

#include <jansson.h>

#include "otway/base/text.h"

/* Text of the wire: what is no UTF-8 becomes U+FFFD, octet by octet. */
static json_t *text(const char *s)
{
	struct bytes in = bytes_of(s);
	struct buf out = { 0 };
	json_t *j;

	if (s == NULL)
		return json_null();
	for (size_t at = 0; at < in.len;) {
		size_t len = text_utf8(in, at);

		if (len > 0)
			buf_add(&out, in.at + at, len);
		else
			buf_text(&out, "\xEF\xBF\xBD");
		at += len > 0 ? len : 1;
	}
	j = out.failed ? NULL : json_stringn(out.len > 0 ? (const char *)out.at : "", out.len);
	buf_clear(&out);
	return j;
}

static json_t *word(const char *s)
{
	return s == NULL || s[0] == '\0' ? json_null() : text(s);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)(n <= INT64_MAX ? n : INT64_MAX));
}

static json_t *moment(nsec_t at)
{
	char out[NSEC_TEXT];

	return at == NSEC_NONE || at == NSEC_EVER ? json_null() : json_string(nsec_text(at, out));
}

static json_t *hash(const uint8_t value[SHA256_LEN])
{
	char out[SHA256_HEX];

	return json_string(text_hex((struct bytes){ value, SHA256_LEN }, out));
}

static void set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(object, name, value != NULL ? value : json_null());
}

static json_t *inputs_of(const struct run_facts *run)
{
	json_t *all = json_array();

	for (size_t i = 0; i < run->input_count; i++) {
		const struct folder_input *in = &run->inputs[i];
		json_t *one = json_object();

		set(one, "file", text(in->name));
		set(one, "sha256", hash(in->sha256));
		set(one, "packets", number(in->packets));
		set(one, "first", moment(in->packets > 0 ? in->first : NSEC_NONE));
		set(one, "last", moment(in->packets > 0 ? in->last : NSEC_NONE));
		json_array_append_new(all, one);
	}
	return all;
}

static json_t *period_of(const struct period_facts *p)
{
	json_t *one = json_object();

	set(one, "from", moment(p->from));
	set(one, "until", moment(p->until));
	set(one, "open", json_boolean(p->until == NSEC_NONE));
	return one;
}

/* Of one call, or all. */
static json_t *gaps_of(const struct period_facts *p, const struct held_call *c)
{
	json_t *all = json_array();

	for (size_t i = 0; i < p->gap_count; i++) {
		const struct gap *g = &p->gaps[i];
		json_t *one;

		if (c != NULL && !case_gap_touches(g, c))
			continue;
		one = json_object();
		set(one, "from", moment(g->from));
		set(one, "until", moment(g->until));
		set(one, "reason", json_string(gap_reason_text(g->reason)));
		set(one, "where", text(g->where));
		set(one, "packets", g->packets != GAP_UNKNOWN ? number(g->packets) : NULL);
		json_array_append_new(all, one);
	}
	return all;
}

static json_t *warrant_of(const struct warrant *w)
{
	json_t *one = json_object(), *targets = json_array();

	for (size_t i = 0; i < w->target_count; i++)
		json_array_append_new(targets, text(w->targets[i].uri));
	set(one, "liid", text(w->liid));
	set(one, "agency", text(w->agency));
	set(one, "targets", targets);
	set(one, "from", moment(w->from));
	set(one, "until", moment(w->until));
	set(one, "scope", json_string(warrant_scope_text(w->scope)));
	set(one, "diverted", json_string(warrant_diverted_text(w->diverted)));
	set(one, "authority", text(w->authority));
	return one;
}

static json_t *matches_of(const struct holding *h, const struct held_facts *f)
{
	json_t *all = json_array();

	for (size_t i = 0; i < f->match_count; i++) {
		const struct held_match *m = &f->matches[i];
		json_t *one = json_object();

		set(one, "target",
			m->target < h->warrant->target_count ? text(h->warrant->targets[m->target].uri) : NULL);
		set(one, "header", json_string(sip_header_text(m->header)));
		set(one, "value", text(m->value));
		set(one, "side", json_string(hit_side_text(m->side)));
		set(one, "verified", json_boolean(m->verified));
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

		set(one, "service", text(d->service));
		set(one, "cause", d->cause != 0 ? number(d->cause) : NULL);
		set(one, "by", text(d->by));
		set(one, "to", text(d->to));
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

		set(t, "kms", text(k->tried[i].kms));
		set(t, "by", text(k->tried[i].by));
		set(t, "outcome", text(k->tried[i].outcome));
		json_array_append_new(tried, t);
	}
	set(one, "request", word(k->request));
	set(one, "protocol", text(k->protocol));
	set(one, "line", k->line != UINT32_MAX ? number(k->line) : NULL);
	set(one, "kms", text(last != NULL ? last->kms : NULL));
	set(one, "by", text(last != NULL ? last->by : NULL));
	set(one, "tried", tried);
	set(one, "at", moment(k->at));
	set(one, "outcome", text(k->outcome));
	set(one, "mismatch", json_boolean(k->mismatch));
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

	set(one, "src", json_string(addr_text(&s->flow.src, address)));
	set(one, "dst", json_string(addr_text(&s->flow.dst, address)));
	snprintf(ssrc, sizeof(ssrc), "0x%08x", s->ssrc);
	set(one, "ssrc", json_string(ssrc));
	return one;
}

static json_t *stream_of(const struct held_call *c, const struct held_stream *s)
{
	static const char *const states[] = { "clear", "decrypted", "sealed" };
	const struct held_format *f = held_format(s);
	bool sealed = held_state(s) == HELD_SEALED, open = c->growing;
	bool suite = s->suite != SUITE_NONE && s->suite != SUITE_UNSUPPORTED;
	json_t *one = stream_name(s, json_object());

	set(one, "direction", json_string(held_direction(c, s)));
	set(one, "media", word(s->kind));
	set(one, "codec", word(f != NULL ? f->codec : NULL));
	set(one, "profile", word(s->profile));
	set(one, "suite", suite ? json_string(suite_facts(s->suite)->name) : NULL);
	set(one, "key_source", json_string(key_source_text(s->source)));
	set(one, "state", json_string(states[held_state(s)]));
	set(one, "reason", word(seal_reason_text(held_reason(s))));
	set(one, "packets", number(held_packets(s)));
	set(one, "duplicates", number(s->duplicates));
	set(one, "decrypted", number(s->decrypted));
	set(one, "failed", number(held_failed(s)));
	set(one, "lost", open ? NULL : number(s->lost));
	set(one, "roc_first", sealed || open ? NULL : number(s->first_index >> 16));
	set(one, "rekeys", number(s->rekeys));
	set(one, "rtcp_packets", open ? NULL : number(s->rtcp));
	set(one, "rtcp_decrypted", open ? NULL : number(s->rtcp_decrypted));
	set(one, "payload_sha256", sealed || open ? NULL : hash(s->payload_sha256));
	set(one, "rtp_sha256", sealed || open ? NULL : hash(s->rtp_sha256));
	set(one, "address_learned", json_boolean(s->learned));
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
		set(one, "at", moment(c->before_at));
		set(one, "messages", number(c->before_count));
	}
	return one;
}

static json_t *call_of(const struct holding *h, const struct held_call *c, const struct run_facts *run)
{
	const struct held_facts *f = &c->facts;
	json_t *one = json_object(), *ids = json_array();

	for (size_t i = 0; i < f->call_id_count; i++)
		json_array_append_new(ids, text(f->call_ids[i]));
	set(one, "id", number(c->id));
	set(one, "call_ids", ids);
	set(one, "started", moment(f->started));
	set(one, "answered", moment(f->answered));
	set(one, "ended", moment(f->ended));
	set(one, "outcome", json_string(call_outcome_text(f->outcome)));
	set(one, "caller", text(f->caller));
	set(one, "callee", text(f->callee));
	set(one, "matched", matches_of(h, f));
	set(one, "diversions", diversions_of(f));
	set(one, "kms", all_kms_of(f));
	set(one, "kms_left_out", number(f->kms_left_out));
	set(one, "streams", streams_of(c));
	if (run->period != NULL) {
		set(one, "growing", json_boolean(c->growing));
		set(one, "before", before_of(c));
		set(one, "gaps", gaps_of(run->period, c));
	}
	return one;
}

static json_t *events_of(const struct holding *h)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < h->event_count; i++) {
		const struct held_event *e = &h->events[i];
		json_t *one = json_object();

		set(one, "at", moment(e->at));
		set(one, "method", word(e->method));
		set(one, "status", e->status != 0 ? number(e->status) : NULL);
		set(one, "from", text(e->from));
		set(one, "to", text(e->to));
		json_array_append_new(all, one);
	}
	return all;
}

static json_t *counters_of(const struct holding *h, const struct run_facts *run)
{
	struct counter own[COUNTERS_OWN];
	size_t count = case_counters(h, own);
	json_t *all = json_object();

	for (size_t i = 0; i < run->counter_count; i++)
		set(all, run->counters[i].name, number(run->counters[i].value));
	for (size_t i = 0; i < count; i++)
		set(all, own[i].name, number(own[i].value));
	return all;
}

static json_t *whole(const struct holding *h, const struct run_facts *run)
{
	json_t *root = json_object(), *calls = json_array();

	for (uint32_t i = 0; i < h->call_count; i++)
		json_array_append_new(calls, call_of(h, h->calls[i], run));
	set(root, "schema", number(1));
	set(root, "otway", json_string(OTWAY_VERSION));
	set(root, "inputs", inputs_of(run));
	if (run->period != NULL) {
		set(root, "period", period_of(run->period));
		set(root, "gaps", gaps_of(run->period, NULL));
	}
	set(root, "warrant", warrant_of(h->warrant));
	set(root, "keys_removed", number(h->keys_removed));
	set(root, "calls", calls);
	set(root, "events", events_of(h));
	set(root, "counters", counters_of(h, run));
	return root;
}

int case_json(
	const struct holding *h, const struct run_facts *run, struct stage *stage, const char *name, struct err *err)
{
	char path[192];
	json_t *root = whole(h, run);
	FILE *f;
	int rc = 0;

	snprintf(path, sizeof(path), "%s/%s", h->name, name);
	f = stage_create(stage, path, err);
	if (f == NULL) {
		json_decref(root);
		return -1;
	}
	if (json_dumpf(root, f, JSON_PRESERVE_ORDER | JSON_INDENT(2)) < 0 || fputc('\n', f) == EOF)
		rc = stage_failed(path, err);
	json_decref(root);
	if (rc < 0) {
		fclose(f);
		return rc;
	}
	return stage_close(f, path, err);
}
