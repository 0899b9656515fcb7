/*
 * pipeline: the way of a packet. The front takes frames apart and opens media, the second half understands signalling;
 * between them go a SIP datagram one way and steps about media the other. Each turn of pipeline_next asks the stages from
 * the last to the first, so that a stage is empty before it is given more.
 */
#include "otway/pipeline.h"

#include <stdlib.h>

#include "pipeline_survey.h"
#include "pipeline_trace.h"
#include "otway/call.h"
#include "otway/decap.h"
#include "otway/match.h"
#include "otway/media.h"
#include "otway/recent.h"
#include "otway/sip.h"
#include "otway/triage.h"
#include "otway/undecided.h"

#define UNDECIDED_OCTETS ((size_t)64 << 20)
#define RECENT_OCTETS    ((size_t)1 << 20)
#define RECENT_SPAN      NSEC_PER_SEC
#define TICK             (NSEC_PER_SEC / 10) /* how often the stages are told the time */

struct pipeline {
	/* The front. */
	struct decap *decap;
	struct media *media;
	struct recent *recent;
	struct datagram datagram;        /* the one in hand, which sip borrows */
	struct sip_esp esp[SIP_ESP_MAX]; /* of the network, not of a subscriber */
	size_t esp_count;
	/* The second half. */
	struct sip *sip, *again; /* again: for what undecided gives back while a message of sip is in hand */
	struct triage *triage;
	struct match *match;
	struct undecided *undecided;
	struct call_stage *call;
	struct warrant_set targets;
	struct trace *trace;   /* NULL: nobody asked */
	struct survey *survey; /* likewise */

	uint64_t bad;                       /* messages that nobody could follow, whoever asks */
	struct glance glance;               /* of the message in hand */
	const struct sip_message *claiming; /* waits until what belongs with it has gone before it */
	const struct hit *hits;
	size_t hit_count;

	const struct media_packet *packet; /* goes out once for each of its covers */
	const struct cover *covers;
	size_t cover_count;

	nsec_t now, told; /* of the newest packet; what the stages were told last */
	enum { RUNNING, STREAMS_ENDED, CALLS_ENDED, MEDIA_ENDED } end;
	bool ending;
	bool idle; /* every stage but decap is known to be empty: most packets are nobody's, and need not ask them */
	struct record out;
};

struct pipeline *pipeline_new(const struct pipeline_options *o)
{
	static const struct pipeline_options usual;
	struct pipeline *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	if (o == NULL)
		o = &usual;
	p->decap = decap_new(o->decap);
	p->media = media_new(&(struct media_options){ .hold_octets = o->hold_octets, .hold_time = o->hold_time });
	p->recent = recent_new(RECENT_OCTETS, RECENT_SPAN);
	p->sip = sip_new(o->kms_header);
	p->again = sip_new(o->kms_header);
	p->triage = triage_new();
	p->match = match_new();
	p->undecided = undecided_new(CALL_LOOK_BACK, UNDECIDED_OCTETS);
	p->call = call_new();
	p->trace = o->explain ? trace_new() : NULL;
	p->survey = o->explain ? survey_new() : NULL;
	p->now = p->told = NSEC_NONE;
	if (p->decap == NULL || p->media == NULL || p->recent == NULL || p->sip == NULL || p->again == NULL ||
		p->triage == NULL || p->match == NULL || p->undecided == NULL || p->call == NULL ||
		(o->explain && (p->trace == NULL || p->survey == NULL)) ||
		!sip_ports(p->sip, o->sip_ports, o->sip_port_count)) {
		pipeline_free(p);
		return NULL;
	}
	call_asks(p->call, o->kms);
	return p;
}

void pipeline_free(struct pipeline *p)
{
	if (p == NULL)
		return;
	survey_free(p->survey);
	trace_free(p->trace);
	call_free(p->call);
	undecided_free(p->undecided);
	match_free(p->match);
	triage_free(p->triage);
	sip_free(p->again);
	sip_free(p->sip);
	recent_free(p->recent);
	media_free(p->media);
	decap_free(p->decap);
	warrant_set_clear(&p->targets);
	free(p);
}

bool pipeline_targets(struct pipeline *p, const struct warrant_set *set)
{
	struct warrant_set copy = { 0 }, old = p->targets;

	for (size_t i = 0; i < set->count; i++)
		if (!warrant_add(&copy, &set->all[i])) {
			warrant_set_clear(&copy);
			return false;
		}
	p->targets = copy;
	if (!match_targets(p->match, &p->targets) || !triage_targets(p->triage, &p->targets)) {
		p->targets = old;
		warrant_set_clear(&copy);
		return false;
	}
	call_targets(p->call, &p->targets);
	warrant_set_clear(&old);
	return true;
}

bool pipeline_key(struct pipeline *p, const struct key_given *key, const char *call_id)
{
	return call_key_file(p->call, key, call_id);
}

void pipeline_answer(struct pipeline *p, const struct key_answer *answer)
{
	p->idle = false;
	call_key_answer(p->call, answer);
}

void pipeline_time(struct pipeline *p, nsec_t at)
{
	if (p->now == NSEC_NONE || at > p->now)
		p->now = at;
	if (p->told != NSEC_NONE && p->now - p->told < TICK)
		return;
	p->told = p->now;
	p->idle = false;
	sip_time(p->sip, p->now);
	undecided_time(p->undecided, p->now);
	call_time(p->call, p->now);
	media_time(p->media, p->now);
}

void pipeline_take(struct pipeline *p, const struct frame *in)
{
	decap_take(p->decap, in);
	pipeline_time(p, in->at);
}

void pipeline_end(struct pipeline *p)
{
	p->ending = true;
	p->idle = false;
}

/* The front: a datagram is signalling, or media of a call that is open, or may become so within a second. False: nothing comes of
 * it now. */
static bool front_take(struct pipeline *p, const struct datagram *d)
{
	bool signalling = d->proto != IP_PROTO_UDP || sip_is(d->payload),
	     wanted = !signalling && media_wants(p->media, d);

	if (signalling)
		sip_take(p->sip, d);
	else if (wanted)
		media_take(p->media, d);
	else
		recent_keep(p->recent, d);
	if (p->survey != NULL && !signalling && !wanted)
		survey_take(p->survey, d);
	return signalling || wanted;
}

/* The front: datagrams until something comes of one. What the last message said of ESP is told first: decap need not guess. */
static bool front_move(struct pipeline *p)
{
	while (p->esp_count > 0) {
		const struct sip_esp *e = &p->esp[--p->esp_count];

		decap_esp_null(p->decap, &e->dst, e->spi, e->icv);
	}
	while (decap_next(p->decap, &p->datagram))
		if (front_take(p, &p->datagram))
			return true;
	return false;
}

/* The front: what the call stage says of media; a new place may have packets that went by just now. Rare, and not inlined. */
__attribute__((noinline)) static void front_step(struct pipeline *p, const struct step *s)
{
	const struct addr *places[2] = { &s->place.rtp, &s->place.rtcp };
	struct datagram d;

	media_step(p->media, s);
	for (size_t i = 0; s->kind == STEP_PLACE && i < 2; i++) {
		size_t step = 0;

		while (places[i]->family != 0 && recent_next(p->recent, places[i], s->at, &step, &d))
			media_take(p->media, &d);
	}
}

/* The second half: is a message under warrant, or does it belong with what is? */
static void back_take(struct pipeline *p, const struct sip_message *m)
{
	struct identity taught;

	p->hit_count = match_message(p->match, m, &p->hits);
	while (match_taught(p->match, &taught))
		triage_add(p->triage, &taught);
	trace_message(p->trace, m, p->hit_count);
	if (p->hit_count > 0 || call_knows(p->call, m)) {
		undecided_claim(p->undecided, m->at, &p->glance);
		p->claiming = m;
	} else {
		undecided_keep(p->undecided, m->datagram, &p->glance);
	}
}

/*
 * The second half: a message that can be nobody's is not even parsed, but kept for a while if it belongs to a set-up. For `explain`
 * every message is.
 */
static void back_glance(struct pipeline *p, const struct datagram *d)
{
	const struct sip_message *m;

	triage_look(p->triage, d->payload, &p->glance);
	p->esp_count = p->glance.security ? sip_security(d, p->esp) : 0;
	p->bad += !d->truncated && (p->glance.call_id.len == 0 || !p->glance.cseq);
	if (p->trace == NULL && !p->glance.may_match && p->glance.call_id.len > 0 &&
		!call_may_know(p->call, &p->glance)) {
		undecided_keep(p->undecided, d, &p->glance);
		return;
	}
	m = sip_read(p->sip, d);
	if (m != NULL)
		back_take(p, m);
}

/* The second half: claimed messages first, oldest first, then the one that claimed them. */
static bool back_move(struct pipeline *p)
{
	const struct datagram *d;
	const struct sip_message *m;
	struct identity called;

	if (p->claiming == NULL)
		return false;
	if (sip_next(p->again, &m)) {
		trace_current(p->trace, m);
		call_take(p->call, m, NULL, 0);
	} else if (undecided_next(p->undecided, &d)) {
		sip_take(p->again, d);
	} else {
		trace_current(p->trace, p->claiming);
		call_take(p->call, p->claiming, p->hits, p->hit_count);
		while (call_called(p->call, &called))
			triage_add(p->triage, &called);
		p->claiming = NULL;
	}
	return true;
}

/* The packet in hand, for the next warrant whose window holds it. */
static bool packet_out(struct pipeline *p)
{
	while (p->cover_count > 0) {
		const struct cover *c = p->covers++;

		p->cover_count--;
		if (p->packet->at < c->from || p->packet->at >= c->until)
			continue;
		p->out = (struct record){
			.kind = RECORD_MEDIA,
			.warrant = c->warrant,
			.call = p->packet->call,
			.at = p->packet->at,
			.media = *p->packet,
		};
		return true;
	}
	return false;
}

/* For who asks KMSs. */
static bool asked_out(struct pipeline *p, const struct step *s)
{
	bool over = s->kind == STEP_OVER;

	if (!over && s->kind != STEP_KEY_WANTED)
		return false;
	p->out = (struct record){ over ? RECORD_CALL_OVER : RECORD_KEY_WANTED, .call = s->call, .at = s->at };
	p->out.wanted = s->wanted;
	return true;
}

/* One step nearer the end: calls say their last before media decides what it holds. */
static bool end_move(struct pipeline *p)
{
	if (!p->ending || p->end == MEDIA_ENDED)
		return false;
	if (p->end == RUNNING) {
		sip_end(p->sip);
		p->end = STREAMS_ENDED;
	} else if (p->end == STREAMS_ENDED) {
		call_end(p->call, p->now);
		p->end = CALLS_ENDED;
	} else {
		media_end(p->media);
		p->end = MEDIA_ENDED;
	}
	return true;
}

bool pipeline_next(struct pipeline *p, const struct record **out)
{
	const struct step *step;
	const struct datagram *whole;

	if (p->idle && !front_move(p))
		return false;
	p->idle = false;
	for (;;) {
		if (packet_out(p)) {
			*out = &p->out;
			return true;
		}
		if (media_next(p->media, &p->packet, &p->covers, &p->cover_count)) {
			trace_packet(p->trace, p->packet);
		} else if (call_next(p->call, &step)) {
			trace_step(p->trace, step);
			if (step->kind == STEP_RECORD) {
				*out = &step->record;
				return true;
			}
			front_step(p, step);
			if (asked_out(p, step)) {
				*out = &p->out;
				return true;
			}
		} else if (back_move(p)) {
			continue;
		} else if (sip_whole(p->sip, &whole)) {
			back_glance(p, whole);
		} else if (!front_move(p) && !end_move(p)) {
			p->idle = true;
			return false;
		}
	}
}

bool pipeline_trace(struct pipeline *p, size_t i, struct pipeline_trace *out)
{
	return trace_get(p->trace, &p->targets, i, out);
}

bool pipeline_unclaimed(const struct pipeline *p, size_t i, struct pipeline_unclaimed *out)
{
	return survey_get(p->survey, i, out);
}

bool pipeline_left(const struct pipeline *p, size_t i, struct decap_left *out)
{
	return decap_left(p->decap, i, out);
}

size_t pipeline_counts_capture(const struct pipeline *p, struct counter *out, size_t max)
{
	size_t n = decap_counts(p->decap, out, max);

	if (n < max)
		out[n++] = (struct counter){ "sip_bad", p->bad };
	return n + sip_counts_capture(p->sip, out + n, max - n);
}

size_t pipeline_counts(const struct pipeline *p, struct counter *out, size_t max)
{
	size_t n = decap_counts(p->decap, out, max);

	n += sip_counts(p->sip, out + n, max - n);
	n += match_counts(p->match, out + n, max - n);
	n += undecided_counts(p->undecided, out + n, max - n);
	n += call_counts(p->call, out + n, max - n);
	n += media_counts(p->media, out + n, max - n);
	return n + survey_counts(p->survey, out + n, max - n);
}
