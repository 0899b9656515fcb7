/* report_call: who, what happened, what was said, what was seen; the rest in tables. */
#include "report_call.h"

#include <inttypes.h>
#include <stdlib.h>

#include "otway/base/text.h"

#include "captures.h"
#include "figure.h"
#include "ladder.h"
#include "page.h"

enum { ROWS = 500 }; /* streams listed */

static void parties(FILE *f, const struct held_facts *facts)
{
	fputs("<p class=\"parties\"><bdi>", f);
	page_string(f, facts->caller);
	fputs("</bdi> → <bdi>", f);
	page_string(f, facts->callee);
	fputs("</bdi></p>\n", f);
}

static void term(FILE *f, const char *name)
{
	fprintf(f, "<dt>%s</dt><dd>", name);
}

static void moments(FILE *f, const struct held_facts *facts)
{
	char span[PAGE_SPAN];

	term(f, "Started");
	page_time(f, facts->started);
	fputs(" UTC</dd>\n", f);
	term(f, "Answered");
	page_time(f, facts->answered);
	if (facts->started != NSEC_NONE && facts->answered >= facts->started)
		fprintf(f, " <span class=\"soft\">after %s</span>", page_span(facts->answered - facts->started, span));
	fputs("</dd>\n", f);
	term(f, "Ended");
	page_time(f, facts->ended);
	if (facts->answered != NSEC_NONE && facts->ended != NSEC_NONE && facts->ended >= facts->answered)
		fprintf(f, " <span class=\"soft\">%s of conversation</span>",
			page_span(facts->ended - facts->answered, span));
	fputs("</dd>\n", f);
}

static void matches(FILE *f, const struct holding *h, const struct held_facts *facts)
{
	term(f, "Matched");
	for (size_t i = 0; i < facts->match_count; i++) {
		const struct held_match *m = &facts->matches[i];

		fputs(i > 0 ? "<br><bdi>" : "<bdi>", f);
		page_string(f, m->value);
		fputs("</bdi> <span class=\"soft\">in ", f);
		page_string(f, sip_header_text(m->header));
		fprintf(f, ", %s", hit_side_text(m->side));
		if (m->target < h->warrant->target_count && strcmp(h->warrant->targets[m->target].uri, m->value) != 0) {
			fputs(", for <bdi>", f);
			page_string(f, h->warrant->targets[m->target].uri);
			fputs("</bdi>", f);
		}
		fputs("</span>", f);
		if (!m->verified)
			fputs(" <span class=\"badge sealed\">unverified</span>", f);
	}
	fputs(facts->match_count == 0 ? "–</dd>\n" : "</dd>\n", f);
}

static void diversions(FILE *f, const struct held_facts *facts)
{
	if (facts->diversion_count == 0)
		return;
	term(f, "Diverted");
	for (size_t i = 0; i < facts->diversion_count; i++) {
		const struct held_diversion *d = &facts->diversions[i];

		fprintf(f, "%s<b>%s</b>", i > 0 ? "<br>" : "", d->service);
		if (d->cause != 0)
			fprintf(f, " (%u)", d->cause);
		fputs(" by <bdi>", f);
		page_string(f, d->by);
		fputs("</bdi> to <bdi>", f);
		page_string(f, d->to);
		fputs("</bdi>", f);
	}
	fputs("</dd>\n", f);
}

/* The one that gave the answer first, then those that were asked before it. */
static void kms_tried(FILE *f, const struct held_kms *k)
{
	for (size_t i = k->tried_count; i-- > 0;) {
		bool last = i + 1 == k->tried_count;

		fputs(last ? " from <bdi>" : ", after <bdi>", f);
		page_string(f, k->tried[i].kms);
		fputs("</bdi> <span class=\"soft\">(", f);
		page_string(f, k->tried[i].by);
		if (!last) {
			fputs(", ", f);
			page_string(f, k->tried[i].outcome);
		}
		fputs(")</span>", f);
	}
}

/* Which KMS gave each key, or why none did. */
static void key_requests(FILE *f, const struct held_facts *facts)
{
	if (facts->kms_count == 0)
		return;
	term(f, facts->kms_count == 1 ? "Key request" : "Key requests");
	for (size_t i = 0; i < facts->kms_count; i++) {
		const struct held_kms *k = &facts->kms[i];

		fputs(i > 0 ? "<br><b>" : "<b>", f);
		page_string(f, k->outcome);
		fputs("</b>", f);
		kms_tried(f, k);
		fputs(" <span class=\"soft\">", f);
		page_string(f, k->protocol);
		fputs(", request <code>", f);
		page_string(f, k->request);
		fputs("</code></span>", f);
		if (k->mismatch)
			fputs(" <span class=\"badge sealed\">key-mismatch</span>", f);
	}
	if (facts->kms_left_out > 0)
		fprintf(f, "<br><span class=\"soft\">%zu more behind the first, in the audit trail</span>",
			facts->kms_left_out);
	fputs("</dd>\n", f);
}

static void call_ids(FILE *f, const struct held_facts *facts)
{
	term(f, facts->call_id_count == 1 ? "Call-ID" : "Call-IDs");
	for (size_t i = 0; i < facts->call_id_count; i++) {
		fputs(i > 0 ? "<br><code>" : "<code>", f);
		page_string(f, facts->call_ids[i]);
		fputs("</code>", f);
	}
	fputs("</dd>\n", f);
}

static void file_link(FILE *f, const struct held_call *c, const char *name, bool there)
{
	char folder[CALL_NAME];

	if (there)
		fprintf(f, "<a href=\"%s/%s\">%s</a> &nbsp; ", captures_name(c, folder), name, name);
}

static void files(FILE *f, const struct held_call *c)
{
	term(f, "Files");
	file_link(f, c, "signalling.pcap", c->signalling_file);
	file_link(f, c, "before.pcap", c->before_file);
	file_link(f, c, "media.pcap", c->media_file);
	file_link(f, c, "sealed.pcap", c->sealed_file);
	file_link(f, c, "other.pcap", c->other_file);
	file_link(f, c, "audio.wav", c->audio == AUDIO_WRITTEN);
	fputs("</dd>\n", f);
}

static void hashes(FILE *f, const struct held_stream *s)
{
	char payload[SHA256_HEX], rtp[SHA256_HEX];

	if (held_state(s) == HELD_SEALED)
		return;
	fprintf(f,
		"<tr class=\"under\"><td></td><td colspan=\"7\"><span class=\"soft\">payload SHA-256</span> "
		"<code>%s</code><br>"
		"<span class=\"soft\">RTP SHA-256</span> <code>%s</code></td></tr>\n",
		text_hex((struct bytes){ s->payload_sha256, SHA256_LEN }, payload),
		text_hex((struct bytes){ s->rtp_sha256, SHA256_LEN }, rtp));
}

static void stream_row(FILE *f, const struct held_call *c, const struct held_stream *s, size_t number)
{
	const struct held_format *format = held_format(s);
	bool suite = s->suite != SUITE_NONE && s->suite != SUITE_UNSUPPORTED, open = held_state(s) != HELD_SEALED;
	char src[ADDR_TEXT], dst[ADDR_TEXT];

	fprintf(f,
		"<tr%s><td class=\"n\">%zu</td><td><span class=\"mono wrap\">%s → %s</span><br><span "
		"class=\"soft\">SSRC 0x%08x · %s",
		open ? " class=\"upper\"" : "", number, addr_text(&s->flow.src, src), addr_text(&s->flow.dst, dst),
		s->ssrc, held_direction(c, s));
	fputs(s->learned ? " · address learned, not announced</span></td><td>" : "</span></td><td>", f);
	page_string(f, format != NULL && format->codec[0] != '\0' ? format->codec : NULL);
	fputs("<br><span class=\"soft\">", f);
	page_string(f, s->profile);
	fprintf(f, "</span></td><td><span class=\"badge %s\">%s</span>", figure_state(s), figure_state(s));
	if (held_reason(s) != SEAL_NONE)
		fprintf(f, "<br>%s", seal_reason_text(held_reason(s)));
	fprintf(f, "<br><span class=\"soft\">%s%s%s", suite ? suite_facts(s->suite)->name : "",
		s->source != KEY_NONE ? ", key by " : "", s->source != KEY_NONE ? key_source_text(s->source) : "");
	if (s->rekeys > 0)
		fprintf(f, ", changed %s%" PRIu32 " times", s->rekeys == 1 ? "" : "", s->rekeys);
	fprintf(f,
		"</span></td><td class=\"n\">%" PRIu64 "</td><td class=\"n\">%" PRIu64 "</td><td class=\"n\">%" PRIu64
		"</td>",
		held_packets(s), s->lost, held_failed(s));
	fprintf(f, "<td class=\"n\">%" PRIu64 "</td></tr>\n", s->rtcp);
	hashes(f, s);
}

static void stream_table(FILE *f, const struct held_call *c, struct held_stream *const *streams, size_t count)
{
	fputs("<h3>Streams</h3>\n<div class=\"scroll\"><table><thead><tr><th></th><th>From → "
	      "to</th><th>Codec</th><th>State</th>"
	      "<th class=\"n\">Packets</th><th class=\"n\">Missing</th><th class=\"n\">Failed</th><th "
	      "class=\"n\">RTCP</th></tr></thead>\n"
	      "<tbody>\n",
		f);
	for (size_t i = 0; i < count && i < ROWS; i++)
		stream_row(f, c, streams[i], i + 1);
	fputs("</tbody></table></div>\n", f);
	if (count > ROWS)
		fprintf(f, "<p class=\"soft\">and %zu more, in case.json</p>\n", count - ROWS);
}

static void sound_note(FILE *f, const struct held_call *c)
{
	if (c->audio == AUDIO_UNKNOWN_CODEC)
		fputs("<p class=\"note\">There is no sound file: the voice is in clear, but its codec cannot be "
		      "decoded here. Its "
		      "packets are in media.pcap.</p>\n",
			f);
	if (c->audio == AUDIO_FAILED)
		fputs("<p class=\"note\">There is no sound file: the decoder failed on what was sent. The packets are "
		      "whole, in "
		      "media.pcap.</p>\n",
			f);
}

void report_states(FILE *f, const struct held_call *c)
{
	uint32_t counts[3] = { 0 };
	static const char *const names[] = { "clear", "decrypted", "sealed" };
	static const enum held_state order[] = { HELD_DECRYPTED, HELD_CLEAR, HELD_SEALED };

	for (uint32_t i = 0; i < c->stream_count; i++)
		counts[held_state(c->streams[i])] += held_packets(c->streams[i]) > 0;
	for (size_t i = 0; i < 3; i++)
		if (counts[order[i]] > 0)
			fprintf(f, "<span class=\"badge %s\">%" PRIu32 " %s</span> ", names[order[i]], counts[order[i]],
				names[order[i]]);
}

static int media(FILE *f, const struct holding *h, const struct held_call *c, struct stage *stage, uint64_t *sound,
	struct err *err)
{
	size_t count;
	struct held_stream **streams = case_streams(c, &count);
	int rc = 0;

	if (streams != NULL && count > 0) {
		fputs("<h3>Media</h3>\n", f);
		rc = figure_write(f, h, c, streams, count, stage, sound, err);
		sound_note(f, c);
		stream_table(f, c, streams, count);
	}
	free(streams);
	return rc;
}

void report_gap(FILE *f, const struct gap *g)
{
	fputs("<tr><td class=\"nowrap\">", f);
	page_time(f, g->from);
	fputs("</td><td class=\"nowrap\">", f);
	page_time(f, g->until);
	fputs("</td><td>", f);
	page_string(f, gap_reason_text(g->reason));
	fputs("</td><td>", f);
	page_string(f, g->where);
	if (g->packets != GAP_UNKNOWN)
		fprintf(f, "</td><td class=\"n\">%" PRIu64 "</td></tr>\n", g->packets);
	else
		fputs("</td><td class=\"n\">–</td></tr>\n", f);
}

static void gaps(FILE *f, const struct held_call *c, const struct period_facts *p)
{
	size_t count = 0;

	for (size_t i = 0; p != NULL && i < p->gap_count; i++)
		count += case_gap_touches(&p->gaps[i], c);
	if (count == 0)
		return;
	fputs("<p class=\"note\">", f);
	page_count(f, count, "gap touches this call", "gaps touch this call");
	fputs(": packets may be missing then. See below.</p>\n", f);
}

int report_call(FILE *f, const struct holding *h, const struct held_call *c, const struct run_facts *run,
	struct stage *stage, uint64_t *sound, struct err *err)
{
	const char *outcome = call_outcome_text(c->facts.outcome);

	fprintf(f,
		"<section class=\"call\" id=\"call-%" PRIu32 "\">\n<h2>Call %" PRIu32
		" <span class=\"badge %s\">%s</span></h2>\n",
		c->id, c->id, outcome, outcome);
	parties(f, &c->facts);
	fputs("<dl>\n", f);
	moments(f, &c->facts);
	matches(f, h, &c->facts);
	diversions(f, &c->facts);
	key_requests(f, &c->facts);
	call_ids(f, &c->facts);
	files(f, c);
	fputs("</dl>\n", f);
	gaps(f, c, run->period);
	if (media(f, h, c, stage, sound, err) < 0)
		return -1;
	if (!spool_empty(c->signalling)) {
		fputs("<h3>Signalling</h3>\n", f);
		if (ladder_write(f, c, err) < 0)
			return -1;
	}
	fputs("</section>\n", f);
	return 0;
}
