/*
 * pipeline: the way of a packet. The front takes frames apart and opens media, the back understands signalling; between them go a SIP
 * datagram one way and steps about media the other. Each turn of pipeline_next asks from the end to the beginning, so that each
 * is empty before it is given more.
 */
#include "otway/pipeline.h"

#include <stdlib.h>

#include "otway/back.h"
#include "otway/front.h"
#include "pipeline_survey.h"
#include "pipeline_trace.h"

#define TICK (NSEC_PER_SEC / 10) /* how often the halves look at the time */

struct pipeline {
	struct front *front;
	struct back *back;
	struct trace *trace;   /* NULL: nobody asked */
	struct survey *survey; /* likewise */

	const struct media_packet *packet; /* goes out once for each of its covers */
	const struct cover *covers;
	size_t cover_count;

	nsec_t now, told; /* of the newest packet; what the halves were told last */
	enum { RUNNING, STREAMS_ENDED, CALLS_ENDED, MEDIA_ENDED } end;
	bool ending;
	bool idle; /* nothing but frames can bring anything: most packets are nobody's, and need not ask the rest */
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
	p->trace = o->explain ? trace_new() : NULL;
	p->survey = o->explain ? survey_new() : NULL;
	p->front = front_new(&(struct front_options){
		.decap = o->decap,
		.sip_ports = o->sip_ports,
		.sip_port_count = o->sip_port_count,
		.hold_octets = o->hold_octets,
		.hold_time = o->hold_time,
		.tell_unclaimed = o->explain,
	});
	p->back = back_new(&(struct back_options){ .kms_header = o->kms_header, .kms = o->kms, .trace = p->trace });
	p->now = p->told = NSEC_NONE;
	if (p->front == NULL || p->back == NULL || (o->explain && (p->trace == NULL || p->survey == NULL))) {
		pipeline_free(p);
		return NULL;
	}
	return p;
}

void pipeline_free(struct pipeline *p)
{
	if (p == NULL)
		return;
	back_free(p->back);
	front_free(p->front);
	survey_free(p->survey);
	trace_free(p->trace);
	free(p);
}

bool pipeline_targets(struct pipeline *p, const struct warrant_set *set)
{
	return back_targets(p->back, set);
}

bool pipeline_key(struct pipeline *p, const struct key_given *key, const char *call_id)
{
	return back_key(p->back, key, call_id);
}

void pipeline_answer(struct pipeline *p, const struct key_answer *answer)
{
	p->idle = false;
	back_answer(p->back, answer);
}

static void note_time(struct pipeline *p, nsec_t at)
{
	if (p->now == NSEC_NONE || at > p->now)
		p->now = at;
	if (p->told != NSEC_NONE && p->now - p->told < TICK)
		return;
	p->told = p->now;
	p->idle = false;
	back_time(p->back, p->now);
}

void pipeline_time(struct pipeline *p, nsec_t at)
{
	front_time(p->front, at);
	note_time(p, at);
}

void pipeline_take(struct pipeline *p, const struct frame *in)
{
	front_take(p->front, in);
	note_time(p, in->at);
}

void pipeline_end(struct pipeline *p)
{
	p->ending = true;
	p->idle = false;
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

/* What the back says: a record goes out, the front is told the rest; some of it is for who asks KMSs. */
static bool step_out(struct pipeline *p, const struct step *s, const struct record **out)
{
	bool over = s->kind == STEP_OVER;

	*out = &s->record;
	if (s->kind == STEP_RECORD)
		return true;
	front_step(p->front, s);
	if (!over && s->kind != STEP_KEY_WANTED)
		return false;
	p->out = (struct record){ over ? RECORD_CALL_OVER : RECORD_KEY_WANTED, .call = s->call, .at = s->at };
	p->out.wanted = s->wanted;
	*out = &p->out;
	return true;
}

/* What the front says. */
static void front_out(struct pipeline *p, const struct front_out *o)
{
	struct sip_esp esp;

	if (o->kind == FRONT_UNCLAIMED)
		survey_take(p->survey, o->datagram);
	if (o->kind != FRONT_SIGNAL)
		return;
	back_take(p->back, o->datagram);
	while (back_esp(p->back, &esp))
		front_esp(p->front, &esp);
}

/* One step nearer the end: calls say their last before media decides what it holds. */
static bool end_move(struct pipeline *p)
{
	if (!p->ending || p->end == MEDIA_ENDED)
		return false;
	if (p->end == RUNNING) {
		front_end_signals(p->front);
		p->end = STREAMS_ENDED;
	} else if (p->end == STREAMS_ENDED) {
		back_end(p->back, p->now);
		p->end = CALLS_ENDED;
	} else {
		front_end(p->front);
		p->end = MEDIA_ENDED;
	}
	return true;
}

bool pipeline_next(struct pipeline *p, const struct record **out)
{
	const struct step *step;
	struct front_out front;

	if (p->idle) {
		if (!front_next(p->front, &front))
			return false;
		front_out(p, &front);
		p->idle = front.kind == FRONT_UNCLAIMED;
	}
	for (;;) {
		if (packet_out(p)) {
			*out = &p->out;
			return true;
		}
		if (front_media(p->front, &p->packet, &p->covers, &p->cover_count)) {
			trace_packet(p->trace, p->packet);
		} else if (back_next(p->back, &step)) {
			if (step_out(p, step, out))
				return true;
		} else if (front_next(p->front, &front)) {
			front_out(p, &front);
		} else if (!end_move(p)) {
			p->idle = true;
			return false;
		}
	}
}

bool pipeline_trace(struct pipeline *p, size_t i, struct pipeline_trace *out)
{
	return trace_get(p->trace, back_table(p->back), i, out);
}

bool pipeline_unclaimed(const struct pipeline *p, size_t i, struct pipeline_unclaimed *out)
{
	return survey_get(p->survey, i, out);
}

bool pipeline_left(const struct pipeline *p, size_t i, struct decap_left *out)
{
	return front_left(p->front, i, out);
}

size_t pipeline_counts_capture(const struct pipeline *p, struct counter *out, size_t max)
{
	size_t n = front_counts_capture(p->front, out, max);

	if (n < max)
		out[n++] = (struct counter){ "sip_bad", back_bad(p->back) };
	return n;
}

/* A thing that both halves count is one thing. */
static size_t add_up(struct counter *all, size_t n, const struct counter *more, size_t count, size_t max)
{
	for (size_t i = 0, k; i < count; i++) {
		for (k = 0; k < n && strcmp(all[k].name, more[i].name) != 0; k++)
			;
		if (k < n)
			all[k].value += more[i].value;
		else if (n < max)
			all[n++] = more[i];
	}
	return n;
}

size_t pipeline_counts(const struct pipeline *p, struct counter *out, size_t max)
{
	struct counter back[64];
	size_t n = front_counts(p->front, out, max);

	n = add_up(out, n, back, back_counts(p->back, back, 64), max);
	return n + survey_counts(p->survey, out + n, max - n);
}
