/* call_scene: messages made of parts, sent through sip and call, and what came of it. */
#include "call_scene.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "otway/base/text.h"

static nsec_t when(int ms)
{
	return ms == INT_MIN ? NSEC_NONE : ms == INT_MAX ? NSEC_EVER : SCENE_T0 + ms * (NSEC_PER_SEC / 1000);
}

void scene_begin(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->sip = sip_new("X-KMS");
	s->call = call_new();
}

void scene_end(struct scene *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->heard[i].text);
		free(s->heard[i].packet);
		if (s->heard[i].step.kind == STEP_KEY_WANTED) {
			key_wanted_clear((struct key_wanted *)s->heard[i].step.wanted);
			free((void *)s->heard[i].step.wanted);
		}
		if (s->heard[i].step.kind == STEP_RECORD && s->heard[i].step.record.kind == RECORD_CALL) {
			struct call_facts *f = &s->heard[i].step.record.facts;

			for (size_t j = 0; j < f->call_id_count; j++)
				free((char *)f->call_ids[j]);
			free((void *)f->call_ids);
			for (size_t j = 0; j < f->match_count; j++)
				free((char *)f->matches[j].value);
			free((void *)f->matches);
			for (size_t j = 0; j < f->diversion_count; j++) {
				free((char *)f->diversions[j].by);
				free((char *)f->diversions[j].to);
			}
			free((void *)f->diversions);
			free((char *)f->caller);
			free((char *)f->callee);
		} else if (s->heard[i].step.kind == STEP_RECORD && s->heard[i].step.record.kind == RECORD_EVENT) {
			struct event_facts *e = &s->heard[i].step.record.event;

			free((char *)e->method);
			free((char *)e->from);
			free((char *)e->to);
		}
	}
	for (size_t i = 0; i < s->text_count; i++)
		free(s->texts[i]);
	call_free(s->call);
	sip_free(s->sip);
	warrant_set_clear(&s->set);
}

const char *scene_text(struct scene *s, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	if (s->text_count == sizeof(s->texts) / sizeof(s->texts[0]) || vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	return s->texts[s->text_count++] = text;
}

const char *scene_crypto(struct scene *s, unsigned int tag, const char *suite, uint8_t first)
{
	const struct suite_facts *f = suite_facts(suite_parse(bytes_of(suite)));
	size_t len = f->key > 0 ? (size_t)f->key + f->salt : 30;
	uint8_t octets[46];
	char base64[72];

	for (size_t i = 0; i < len; i++)
		octets[i] = (uint8_t)(first + i);
	text_base64((struct bytes){ octets, len }, base64);
	return scene_text(s, "a=crypto:%u %s inline:%s\r\n", tag, suite, base64);
}

const char *scene_sdp(struct scene *s, const char *ip, unsigned int port, const char *profile, const char *lines)
{
	return scene_text(s,
		"v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u %s 0 101\r\n"
		"a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n%s",
		ip, ip, port, profile, lines != NULL ? lines : "");
}

uint32_t scene_warrant(
	struct scene *s, const char *uri, enum warrant_scope scope, enum warrant_diverted diverted, int from, int until)
{
	struct target target = { .uri = (char *)uri };
	struct warrant w = {
		.number = (uint32_t)s->set.count + 1,
		.targets = &target,
		.target_count = 1,
		.from = when(from),
		.until = when(until),
		.scope = scope,
		.diverted = diverted,
		.agency = (char *)"agency",
		.authority = (char *)"order",
	};

	identity_parse(bytes_of(uri), &target.id);
	warrant_add(&s->set, &w);
	call_targets(s->call, &s->set);
	return w.number;
}

/* Copies. */

static const char *copy(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

static void copy_facts(struct call_facts *f)
{
	const char **ids = calloc(f->call_id_count + 1, sizeof(*ids));
	struct call_match *matches = calloc(f->match_count + 1, sizeof(*matches));
	struct call_diversion *diversions = calloc(f->diversion_count + 1, sizeof(*diversions));

	for (size_t i = 0; i < f->call_id_count; i++)
		ids[i] = copy(f->call_ids[i]);
	for (size_t i = 0; i < f->match_count; i++) {
		matches[i] = f->matches[i];
		matches[i].value = copy(f->matches[i].value);
	}
	for (size_t i = 0; i < f->diversion_count; i++) {
		diversions[i] = f->diversions[i];
		diversions[i].by = copy(f->diversions[i].by);
		diversions[i].to = copy(f->diversions[i].to);
	}
	f->call_ids = ids;
	f->matches = matches;
	f->diversions = diversions;
	f->caller = copy(f->caller);
	f->callee = copy(f->callee);
	f->kms = NULL; /* of the call itself: it changes */
	f->kms_count = 0;
}

static void hear(struct scene *s, const struct step *step)
{
	struct heard *h = &s->heard[s->count];
	const struct datagram *d = step->kind == STEP_RECORD ? step->record.sip : NULL;

	if (s->count == SCENE_HEARD)
		abort();
	s->count++;
	h->step = *step;
	if (step->kind == STEP_KEY_WANTED) {
		struct key_wanted *w = calloc(1, sizeof(*w));

		if (w == NULL || !key_wanted_copy(step->wanted, w))
			abort();
		h->step.wanted = w;
	}
	if (d != NULL) {
		h->text = calloc(1, d->payload.len + 1);
		memcpy(h->text, d->payload.at, d->payload.len);
		h->packet = malloc(d->packet.len + 1);
		memcpy(h->packet, d->packet.at, d->packet.len);
		h->packet_len = d->packet.len;
	}
	if (step->kind == STEP_RECORD && step->record.kind == RECORD_CALL)
		copy_facts(&h->step.record.facts);
	if (step->kind == STEP_RECORD && step->record.kind == RECORD_EVENT) {
		struct event_facts *e = &h->step.record.event;

		*e = (struct event_facts){ copy(e->method), e->status, copy(e->from), copy(e->to) };
	}
}

void scene_hear(struct scene *s)
{
	const struct step *step;

	while (call_next(s->call, &step))
		hear(s, step);
}

/* In. */

static void write_message(const struct said *m, struct buf *out)
{
	bool response = m->start[0] >= '1' && m->start[0] <= '9';

	if (response)
		buf_printf(out, "SIP/2.0 %s\r\n", m->start);
	else
		buf_printf(out, "%s SIP/2.0\r\n", m->start);
	buf_printf(out, "Via: SIP/2.0/UDP host;branch=z9hG4bK%s\r\n", m->branch);
	buf_printf(out, "From: <%s>%s%s\r\n", m->from, m->from_tag ? ";tag=" : "", m->from_tag ? m->from_tag : "");
	buf_printf(out, "To: <%s>%s%s\r\n", m->to, m->to_tag ? ";tag=" : "", m->to_tag ? m->to_tag : "");
	buf_printf(out, "Call-ID: %s\r\nCSeq: %u %s\r\n", m->call_id, m->cseq ? m->cseq : 1, m->method);
	if (m->more != NULL)
		buf_text(out, m->more);
	if (m->body != NULL)
		buf_printf(out, "Content-Type: %s\r\n", m->type ? m->type : "application/sdp");
	buf_printf(out, "Content-Length: %zu\r\n\r\n%s", m->body ? strlen(m->body) : 0, m->body ? m->body : "");
}

/* An IPv4 and a UDP header before the text; the UDP checksum is right (RFC 768), so that one that is kept right shows. */
static void write_packet(struct buf *text, const struct flow *f, struct buf *out)
{
	size_t len = 28 + text->len;
	uint8_t *p = buf_room(out, len + 1);
	uint32_t sum = 17 + 8 + (uint32_t)text->len;

	memset(p, 0, len + 1);
	out->len = len;
	p[0] = 0x45;
	put_be16(p + 2, (uint16_t)len);
	p[8] = 64;
	p[9] = IP_PROTO_UDP;
	memcpy(p + 12, f->src.ip, 4);
	memcpy(p + 16, f->dst.ip, 4);
	put_be16(p + 20, f->src.port);
	put_be16(p + 22, f->dst.port);
	put_be16(p + 24, (uint16_t)(8 + text->len));
	memcpy(p + 28, text->at, text->len);
	for (size_t i = 12; i < len; i += 2)
		sum += be16(p + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put_be16(p + 26, (uint16_t)~sum);
}

/* Hits as match would give them, by the position of the header alone. */
static size_t find_hits(const struct scene *s, const struct sip_message *m, struct hit out[64])
{
	static const enum hit_side sides[SIP_HEADERS] = {
		[SIP_HEADER_TO] = HIT_TO_TARGET,
		[SIP_HEADER_REQUEST_URI] = HIT_TO_TARGET,
		[SIP_HEADER_FROM] = HIT_FROM_TARGET,
		[SIP_HEADER_PAI] = HIT_FROM_TARGET,
		[SIP_HEADER_DIVERSION] = HIT_DIVERTING,
		[SIP_HEADER_HISTORY] = HIT_DIVERTING,
	};
	size_t count = 0;

	for (size_t w = 0; w < s->set.count; w++)
		for (size_t i = 0; i < m->party_count && count < 64; i++) {
			const struct sip_party *p = &m->parties[i];
			enum hit_side side = sides[p->header];

			if (!identity_same(&p->id, &s->set.all[w].targets[0].id) ||
				!warrant_in_force(&s->set.all[w], m->at))
				continue;
			if (p->header == SIP_HEADER_CONTACT ||
				p->header == SIP_HEADER_FROM) /* nobody trusts From here */
				continue;
			if (p->header == SIP_HEADER_PAI && !m->request)
				side = HIT_TO_TARGET;
			if (p->header == SIP_HEADER_HISTORY &&
				(i + 1 == m->party_count || m->parties[i + 1].header != SIP_HEADER_HISTORY))
				side = HIT_TO_TARGET;
			out[count++] = (struct hit){ s->set.all[w].number, 0, p->header, p->uri, side, true };
		}
	return count;
}

static bool say(struct scene *s, const struct said *m, bool claimed)
{
	struct buf text = { 0 }, packet = { 0 };
	struct datagram d = { .at = when(m->ms), .proto = IP_PROTO_UDP };
	const struct sip_message *message;
	struct hit hits[64];
	bool taken = false;
	size_t count;

	addr_parse(bytes_of(m->src), &d.flow.src);
	addr_parse(bytes_of(m->dst), &d.flow.dst);
	write_message(m, &text);
	if (m->cut > 0 && m->cut < text.len) {
		text.len = m->cut;
		d.truncated = true;
	}
	write_packet(&text, &d.flow, &packet);
	d.packet = buf_bytes(&packet);
	d.payload = bytes_part(d.packet, 28, text.len);
	sip_take(s->sip, &d);
	while (sip_next(s->sip, &message)) {
		count = find_hits(s, message, hits);
		if (claimed)
			count = 0;
		taken = claimed || count > 0 || call_knows(s->call, message);
		if (taken)
			call_take(s->call, message, hits, count);
	}
	buf_clear(&text);
	buf_clear(&packet);
	scene_hear(s);
	return taken;
}

bool scene_say(struct scene *s, const struct said *m)
{
	call_time(s->call, when(m->ms));
	return say(s, m, false);
}

void scene_claim(struct scene *s, const struct said *m)
{
	say(s, m, true);
}

void scene_time(struct scene *s, int ms)
{
	call_time(s->call, when(ms));
	scene_hear(s);
}

void scene_over(struct scene *s, int ms)
{
	call_end(s->call, when(ms));
	scene_hear(s);
}

/* Out. */

const struct call_facts *scene_facts(const struct scene *s, uint32_t warrant, uint32_t call)
{
	for (size_t i = s->count; i-- > 0;) {
		const struct step *step = &s->heard[i].step;

		if (step->kind == STEP_RECORD && step->record.kind == RECORD_CALL && step->record.warrant == warrant &&
			step->record.call == call)
			return &step->record.facts;
	}
	return NULL;
}

size_t scene_records(const struct scene *s, enum record_kind kind, uint32_t warrant, uint32_t call)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct step *step = &s->heard[i].step;

		n += step->kind == STEP_RECORD && step->record.kind == kind && step->record.warrant == warrant &&
		     step->record.call == call;
	}
	return n;
}

size_t scene_steps(const struct scene *s, enum step_kind kind, uint32_t call)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		n += s->heard[i].step.kind == kind && s->heard[i].step.call == call;
	return n;
}

const struct place *scene_place(const struct scene *s, uint32_t call, const char *addr)
{
	struct addr a;

	addr_parse(bytes_of(addr), &a);
	for (size_t i = s->count; i-- > 0;) {
		const struct step *step = &s->heard[i].step;

		if (step->kind == STEP_PLACE && step->call == call && addr_equal(&step->place.rtp, &a))
			return &step->place;
	}
	return NULL;
}

const struct key_given *scene_key(const struct scene *s, uint32_t call, uint8_t first, bool chosen)
{
	for (size_t i = s->count; i-- > 0;) {
		const struct step *step = &s->heard[i].step;

		if (step->kind == STEP_KEY && step->call == call && step->key.key.key[0] == first &&
			step->key.chosen == chosen)
			return &step->key;
	}
	return NULL;
}

const struct cover *scene_cover(const struct scene *s, uint32_t warrant, uint32_t call)
{
	for (size_t i = s->count; i-- > 0;) {
		const struct step *step = &s->heard[i].step;

		if (step->kind != STEP_COVER || step->call != call)
			continue;
		for (size_t j = 0; j < step->cover_count; j++)
			if (step->covers[j].warrant == warrant)
				return &step->covers[j];
		return NULL;
	}
	return NULL;
}

const struct heard *scene_sip(const struct scene *s, uint32_t warrant, const char *part)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->heard[i].text != NULL && s->heard[i].step.record.warrant == warrant &&
			strstr(s->heard[i].text, part) != NULL)
			return &s->heard[i];
	return NULL;
}
