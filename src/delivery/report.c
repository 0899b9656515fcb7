/* report: the page from its head to its foot; every value of the wire goes through page_text. */
#include "report.h"

#include <inttypes.h>

#include "otway/base/text.h"

#include "figure.h"
#include "page.h"
#include "report_call.h"

enum { SECTIONS = 200, EVENTS = 1000 }; /* calls told in full, events listed */

static void head(FILE *f, const struct warrant *w)
{
	fputs("<header>\n<div class=\"over\">Case report</div>\n<h1>", f);
	page_string(f, w->liid);
	fputs("</h1>\n<dl>\n<dt>Agency</dt><dd>", f);
	page_string(f, w->agency);
	fputs("</dd>\n<dt>Authority</dt><dd>", f);
	page_string(f, w->authority);
	fprintf(f, "</dd>\n<dt>%s</dt><dd>", w->target_count == 1 ? "Target" : "Targets");
	for (size_t i = 0; i < w->target_count; i++) {
		fputs(i > 0 ? "<br><bdi>" : "<bdi>", f);
		page_string(f, w->targets[i].uri);
		fputs("</bdi>", f);
	}
	fputs("</dd>\n<dt>In force</dt><dd>", f);
	page_time(f, w->from);
	fputs(" to ", f);
	page_time(f, w->until);
	fprintf(f,
		" UTC</dd>\n<dt>Scope</dt><dd>%s <span class=\"soft\">(diverted calls: "
		"%s)</span></dd>\n</dl>\n</header>\n",
		w->scope == SCOPE_IRI  ? "signalling only"
		: w->scope == SCOPE_CC ? "media only"
				       : "signalling and media",
		warrant_diverted_text(w->diverted));
}

static void figure(FILE *f, uint64_t n, const char *one, const char *many)
{
	fprintf(f, "<div><b>%" PRIu64 "</b><span>%s</span></div>\n", n, n == 1 ? one : many);
}

static void figures(FILE *f, const struct holding *h)
{
	uint64_t states[3] = { 0 };

	for (uint32_t i = 0; i < h->call_count; i++)
		for (uint32_t j = 0; j < h->calls[i]->stream_count; j++)
			states[held_state(h->calls[i]->streams[j])] += held_packets(h->calls[i]->streams[j]) > 0;
	fputs("<div class=\"figures\">\n", f);
	figure(f, h->call_count, "call", "calls");
	figure(f, h->event_count, "event outside calls", "events outside calls");
	figure(f, states[HELD_DECRYPTED], "stream decrypted", "streams decrypted");
	figure(f, states[HELD_CLEAR], "stream never encrypted", "streams never encrypted");
	figure(f, states[HELD_SEALED], "stream still sealed", "streams still sealed");
	fputs("</div>\n", f);
}

static void call_row(FILE *f, const struct held_call *c)
{
	const struct held_facts *facts = &c->facts;
	const char *outcome = call_outcome_text(facts->outcome);
	char span[PAGE_SPAN];

	fprintf(f, "<tr><td class=\"n\">");
	if (c->id <= SECTIONS)
		fprintf(f, "<a href=\"#call-%" PRIu32 "\">%" PRIu32 "</a>", c->id, c->id);
	else
		fprintf(f, "%" PRIu32, c->id);
	fputs("</td><td class=\"nowrap\">", f);
	page_time(f, facts->started);
	fputs("</td><td class=\"wrap\"><bdi>", f);
	page_string(f, facts->caller);
	fputs("</bdi></td><td class=\"wrap\"><bdi>", f);
	page_string(f, facts->callee);
	fprintf(f, "</bdi></td><td><span class=\"badge %s\">%s</span></td><td class=\"n\">", outcome, outcome);
	if (facts->answered != NSEC_NONE && facts->ended != NSEC_NONE && facts->ended >= facts->answered)
		fputs(page_span(facts->ended - facts->answered, span), f);
	else
		fputs("–", f);
	fputs("</td><td>", f);
	report_states(f, c);
	fputs("</td></tr>\n", f);
}

static void call_table(FILE *f, const struct holding *h)
{
	if (h->call_count == 0)
		return;
	fputs("<h2>Calls</h2>\n<div class=\"scroll\"><table><thead><tr><th></th><th>Started "
	      "(UTC)</th><th>Caller</th><th>Callee</th>"
	      "<th>Outcome</th><th class=\"n\">Talked</th><th>Streams</th></tr></thead>\n<tbody>\n",
		f);
	for (uint32_t i = 0; i < h->call_count; i++)
		call_row(f, h->calls[i]);
	fputs("</tbody></table></div>\n", f);
	if (h->call_count > SECTIONS)
		fprintf(f, "<p class=\"soft\">The first %d are told in full below; all of them are in case.json.</p>\n",
			SECTIONS);
}

static void event_row(FILE *f, const struct held_event *e)
{
	fputs("<tr><td class=\"nowrap\">", f);
	page_time(f, e->at);
	fputs("</td><td>", f);
	page_string(f, e->method);
	fputs("</td><td>", f);
	if (e->status != 0)
		fprintf(f, "%u", e->status);
	else
		fputs("request", f);
	fputs("</td><td class=\"wrap\"><bdi>", f);
	page_string(f, e->from);
	fputs("</bdi></td><td class=\"wrap\"><bdi>", f);
	page_string(f, e->to);
	fputs("</bdi></td></tr>\n", f);
}

static void event_table(FILE *f, const struct holding *h)
{
	if (h->event_count == 0)
		return;
	fputs("<h2>Signalling outside calls</h2>\n", f);
	if (h->other_file)
		fputs("<p><a href=\"other/signalling.pcap\">other/signalling.pcap</a></p>\n", f);
	fputs("<div class=\"scroll\"><table><thead><tr><th>At "
	      "(UTC)</th><th>Method</th><th>Status</th><th>From</th><th>To</th></tr>"
	      "</thead>\n<tbody>\n",
		f);
	for (uint32_t i = 0; i < h->event_count && i < EVENTS; i++)
		event_row(f, &h->events[i]);
	fputs("</tbody></table></div>\n", f);
	if (h->event_count > EVENTS)
		fprintf(f, "<p class=\"soft\">and %" PRIu32 " more, in case.json</p>\n", h->event_count - EVENTS);
}

static void inputs(FILE *f, const struct run_facts *run)
{
	char hex[SHA256_HEX];

	fputs("<h2>Captures read</h2>\n<div class=\"scroll\"><table><thead><tr><th>File</th><th "
	      "class=\"n\">Packets</th><th>First (UTC)"
	      "</th><th>Last (UTC)</th></tr></thead>\n<tbody>\n",
		f);
	for (size_t i = 0; i < run->input_count; i++) {
		const struct folder_input *in = &run->inputs[i];

		fputs("<tr class=\"upper\"><td class=\"wrap\"><bdi>", f);
		page_string(f, in->name);
		fprintf(f, "</bdi></td><td class=\"n\">%" PRIu64 "</td><td class=\"nowrap\">", in->packets);
		page_time(f, in->packets > 0 ? in->first : NSEC_NONE);
		fputs("</td><td class=\"nowrap\">", f);
		page_time(f, in->packets > 0 ? in->last : NSEC_NONE);
		fprintf(f,
			"</td></tr>\n<tr class=\"under\"><td colspan=\"4\"><span class=\"soft\">SHA-256</span> "
			"<code>%s</code></td></tr>\n",
			text_hex((struct bytes){ in->sha256, SHA256_LEN }, hex));
	}
	fputs("</tbody></table></div>\n", f);
}

static bool any_state(const struct period_facts *p)
{
	for (size_t i = 0; i < p->gap_count; i++)
		if (p->gaps[i].reason == GAP_STATE)
			return true;
	return false;
}

static void period(FILE *f, const struct period_facts *p)
{
	fputs("<h2>Captured live</h2>\n<p>From ", f);
	page_time(f, p->from);
	fputs(" to ", f);
	if (p->until != NSEC_NONE)
		page_time(f, p->until);
	fputs(p->until != NSEC_NONE ? " UTC.</p>\n" : " now: it goes on.</p>\n", f);
	if (p->gap_count == 0)
		return;
	fputs("<h3>Gaps</h3>\n<p class=\"note\">In these times packets may be missing. Of a call that was set up then, "
	      "all may be missing, also what came later.</p>\n<div class=\"scroll\"><table><thead><tr>"
	      "<th>From (UTC)</th><th>To (UTC)</th><th>Reason</th><th>Where</th><th "
	      "class=\"n\">Packets</th></tr></thead>\n"
	      "<tbody>\n",
		f);
	for (size_t i = 0; i < p->gap_count && i < EVENTS; i++)
		report_gap(f, &p->gaps[i]);
	fputs("</tbody></table></div>\n", f);
	if (any_state(p))
		fputs("<p class=\"note\">Reason “state”: what was known of calls was lost. Of those that were under "
		      "way at that "
		      "moment all that followed may be missing, until they were set up anew.</p>\n",
			f);
	if (p->gap_count > EVENTS)
		fprintf(f, "<p class=\"soft\">and %zu more, in case.json</p>\n", p->gap_count - EVENTS);
}

static void counter_row(FILE *f, const struct counter *c)
{
	fputs("<tr><td><code>", f);
	page_string(f, c->name);
	fprintf(f, "</code></td><td class=\"n\">%" PRIu64 "</td></tr>\n", c->value);
}

static void counters(FILE *f, const struct holding *h, const struct run_facts *run)
{
	struct counter own[COUNTERS_OWN];
	size_t count = case_counters(h, own);

	fputs("<details><summary>Counters</summary>\n<table><tbody>\n", f);
	for (size_t i = 0; i < run->counter_count; i++) {
		bool replaced = false;

		for (size_t j = 0; j < count; j++)
			replaced = replaced || strcmp(own[j].name, run->counters[i].name) == 0;
		if (!replaced)
			counter_row(f, &run->counters[i]);
	}
	for (size_t i = 0; i < count; i++)
		counter_row(f, &own[i]);
	fputs("</tbody></table></details>\n", f);
}

static void integrity(FILE *f, const struct holding *h)
{
	fputs("<h2>Integrity</h2>\n<p>Every file of this folder is named in MANIFEST.sha256 with its SHA-256. To check "
	      "that none was "
	      "altered, run in this folder:</p>\n<pre>sha256sum -c MANIFEST.sha256</pre>\n"
	      "<p>The hash of a stream is taken over its clear payloads (or whole RTP packets) in the order of their "
	      "extended sequence "
	      "numbers, duplicates once.</p>\n",
		f);
	if (h->keys_removed > 0) {
		fputs("<p>", f);
		page_count(f, h->keys_removed, "place in the signalling held a key that was",
			"places in the signalling held keys that were");
		fputs(" overwritten with asterisks of the same length; checksums were redone, nothing else was "
		      "changed.</p>\n",
			f);
	}
	fprintf(f,
		"<footer class=\"soft\">otway %s · the same facts for machines: <a "
		"href=\"case.json\">case.json</a></footer>\n",
		OTWAY_VERSION);
}

static int write_page(
	FILE *f, const struct holding *h, const struct run_facts *run, struct stage *stage, struct err *err)
{
	uint64_t sound = FIGURE_SOUND_MAX;

	page_begin(f, h->warrant->liid);
	head(f, h->warrant);
	figures(f, h);
	call_table(f, h);
	for (uint32_t i = 0; i < h->call_count && i < SECTIONS; i++)
		if (report_call(f, h, h->calls[i], run, stage, &sound, err) < 0)
			return -1;
	event_table(f, h);
	if (run->period != NULL)
		period(f, run->period);
	else
		inputs(f, run);
	counters(f, h, run);
	integrity(f, h);
	page_end(f);
	return 0;
}

int report_write(
	const struct holding *h, const struct run_facts *run, struct stage *stage, const char *name, struct err *err)
{
	char path[192];
	FILE *f;
	int rc;

	snprintf(path, sizeof(path), "%s/%s", h->name, name);
	f = stage_create(stage, path, err);
	if (f == NULL)
		return -1;
	rc = write_page(f, h, run, stage, err);
	return stage_close(f, path, rc == 0 ? err : NULL) < 0 ? -1 : rc;
}
