/*
 * cmd_explain: for each set-up in the captures, the tests it went through and where it stopped. By local numbers and times
 * alone: a call that no warrant names stays nobody's.
 */
#include "inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "otway/model/counter.h"
#include "findings.h"
#include "reading.h"

static const struct {
	const char *word, *sentence;
} stops[] = {
	[TRACE_NOT_MATCHED] = { "not-matched", "no party is a target of a warrant in force at that time" },
	[TRACE_NO_SDP] = { "no-sdp", "matched, but no message of it describes media" },
	[TRACE_NO_MEDIA] = { "no-media", "media described, but no packet of it is in the captures" },
	[TRACE_SEALED] = { "sealed", "media seen, but not a packet of it could be opened" },
	[TRACE_PARTLY] = { "partly", "media delivered, but for packets that could not be opened" },
	[TRACE_DELIVERED] = { "delivered", "media delivered in clear" },
	[TRACE_BEFORE] = { "set-up-before",
		"set-up before the warrant's begin: media not intercepted, by decision: what was said before it is not "
		"used, and no message since has described the media again" },
};

static json_t *warrants_json(const struct pipeline_trace *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->warrant_count; i++)
		json_array_append_new(list, json_integer(t->warrants[i]));
	return list;
}

static json_t *key_mgmt_json(const struct pipeline_trace *t)
{
	json_t *protocols = json_array(), *types = json_array();

	if (t->mikey)
		json_array_append_new(protocols, json_string("mikey"));
	if (t->otway_rees)
		json_array_append_new(protocols, json_string("otway-rees"));
	for (int type = 0; type < 32; type++)
		if ((t->mikey_types >> type & 1) != 0)
			json_array_append_new(types, json_integer(type));
	return json_pack("{s:o, s:o, s:b}", "protocols", protocols, "mikey_types", types, "kms_signalled",
		(int)t->kms_signalled);
}

static void print_json(const struct pipeline_trace *t)
{
	json_t *headers = json_array(), *line;

	for (int h = 0; h < SIP_HEADERS; h++)
		if (t->headers[h])
			json_array_append_new(headers, json_string(sip_header_text((enum sip_header)h)));
	line = json_pack("{s:i, s:o, s:o, s:i, s:o, s:i, s:i, s:b, s:o, s:o, s:b}", "setup", (int)t->number, "first",
		output_time(t->first), "last", output_time(t->last), "messages", (int)t->messages, "headers", headers,
		"tested", (int)t->tested, "hits", (int)t->hits, "matched", t->call != 0, "call",
		t->call != 0 ? json_integer(t->call) : json_null(), "warrants", warrants_json(t), "sdp", t->sdp);
	if (line != NULL)
		json_object_update_new(
			line, json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:s?, s:s, s:b}", "places", (int)t->places,
				      "keys", (int)t->keys, "rtp", (int)t->rtp, "opened", (int)t->opened, "clear",
				      (int)t->clear, "sealed", (int)t->sealed, "reason", seal_reason_text(t->reason),
				      "stopped", stops[t->stop].word, "begun_before", (int)t->begun_before));
	if (line != NULL)
		json_object_set_new(line, "key_mgmt", key_mgmt_json(t));
	output_json(line);
}

static void print_matching(const struct pipeline_trace *t)
{
	const char *between = "  1 parties named in: ";

	for (int h = 0; h < SIP_HEADERS; h++)
		if (t->headers[h]) {
			printf("%s%s", between, sip_header_text((enum sip_header)h));
			between = ", ";
		}
	printf("%s\n  2 compared with the targets: %" PRIu32 " parties, %" PRIu32 " matched",
		between[0] == ' ' ? "  1 no party named" : "", t->tested, t->hits);
	if (t->hits == 0 && t->call != 0)
		printf("; joined to a call that is");
	if (t->call != 0)
		printf("; call %" PRIu32, t->call);
	for (size_t i = 0; i < t->warrant_count; i++)
		printf("%s%" PRIu32, i == 0 ? ", warrant " : ", ", t->warrants[i]);
	putchar('\n');
}

#define TYPES_IN_CLEAR UINT32_C(0x7ff)   /* RFC 3830 6.1, and its extensions up to 10 */
#define TYPES_TICKET   UINT32_C(0x7f800) /* 11 to 18: RFC 6043 9 */

/* Who has the keys, by what kind of message carries them. */
static const char *who_has_keys(const struct pipeline_trace *t)
{
	if (t->otway_rees || (t->mikey_types & TYPES_TICKET) != 0)
		return "a KMS has the keys: decrypt --kms asks for them";
	if ((t->mikey_types & TYPES_IN_CLEAR) != 0)
		return "the keys are within these messages, for the parties alone: no KMS has them";
	return "of no kind that is known here";
}

static void print_key_mgmt(const struct pipeline_trace *t)
{
	const char *between = ", messages of type ";

	if (!t->mikey && !t->otway_rees)
		return;
	printf("  - key management: %s%s%s", t->mikey ? "mikey" : "", t->mikey && t->otway_rees ? ", " : "",
		t->otway_rees ? "otway-rees" : "");
	for (int type = 0; type < 32; type++)
		if ((t->mikey_types >> type & 1) != 0) {
			printf("%s%d", between, type);
			between = ", ";
		}
	printf("; %s signalled; %s\n", t->kms_signalled ? "a KMS is" : "no KMS is", who_has_keys(t));
}

static void print_text(const struct pipeline_trace *t)
{
	char first[NSEC_TEXT], last[NSEC_TEXT];

	printf("set-up %" PRIu32 ": %" PRIu32 " message%s from %s to %s\n", t->number, t->messages,
		t->messages == 1 ? "" : "s", nsec_text(t->first, first), nsec_text(t->last, last));
	print_matching(t);
	if (t->call != 0)
		printf("  3 media described: %s, %" PRIu32 " places, %" PRIu32 " keys\n"
		       "  4 packets: %" PRIu32 " RTP; %" PRIu32 " opened, %" PRIu32 " clear, %" PRIu32
		       " sealed%s%s%s\n",
			t->sdp ? "yes" : "no", t->places, t->keys, t->rtp, t->opened, t->clear, t->sealed,
			t->sealed > 0 && seal_reason_text(t->reason) != NULL ? " (" : "",
			t->sealed > 0 && seal_reason_text(t->reason) != NULL ? seal_reason_text(t->reason) : "",
			t->sealed > 0 && seal_reason_text(t->reason) != NULL ? ")" : "");
	if (t->call != 0)
		print_key_mgmt(t);
	if (t->begun_before && t->stop != TRACE_BEFORE)
		puts("  - set-up before the warrant's begin: media only from the next message that describes it");
	printf("  = %s: %s\n", stops[t->stop].word, stops[t->stop].sentence);
}

static json_t *findings_json(const struct reading *r)
{
	json_t *list = json_array();
	struct finding f;

	for (size_t i = 0; findings_at(r, i, &f); i++)
		json_array_append_new(list, json_pack("{s:s, s:s?, s:o, s:I, s:s}", "finding", f.kind, "name", f.name,
						    "id", f.id >= 0 ? json_integer(f.id) : json_null(), "count",
						    (json_int_t)f.packets, "text", f.text));
	return list;
}

static void print_findings(const struct reading *r)
{
	struct finding f;

	for (size_t i = 0; findings_at(r, i, &f); i++)
		printf("%s  - %s\n", i == 0 ? "what was not used, and why\n" : "", f.text);
}

static void print_counts(const struct reading *r, bool json)
{
	struct counter counters[READING_COUNTERS];
	size_t count = reading_counts(r, true, counters);

	if (json) {
		output_json(json_pack(
			"{s:o, s:o}", "counters", reading_counts_json(counters, count), "findings", findings_json(r)));
		return;
	}
	puts("counters (those that are not 0)");
	for (size_t i = 0; i < count; i++) {
		const struct counter_words *words = counter_words(counters[i].name);

		if (counters[i].value > 0)
			printf("  %-22s%10" PRIu64 "  %s\n", counters[i].name, counters[i].value,
				words != NULL ? words->meaning : "");
	}
	print_findings(r);
}

static void print_all(const struct reading *r, bool json)
{
	struct pipeline_trace trace;
	size_t i = 0;

	for (; pipeline_trace(r->pipeline, i, &trace); i++)
		if (json)
			print_json(&trace);
		else
			print_text(&trace);
	if (i == 0 && !json)
		puts("no set-up of a call in these captures");
	print_counts(r, json);
}

static int run_explain(struct cli *c, struct err *err)
{
	struct reading reading = { 0 };
	int rc = -1;

	if (cli_store(c, false, err) == 0 && reading_warrants(&reading, c, err) == 0 &&
		cli_audit(c, "explain", "captures", reading_detail(&reading, c), err) == 0 &&
		reading_open(&reading, c, false, !c->quiet, err) == 0 &&
		reading_run(&reading, c, NULL, NULL, err) == 0) {
		if (!c->quiet)
			print_all(&reading, c->json);
		rc = EXIT_DONE;
	}
	reading_clear(&reading);
	return rc;
}

static const struct cli_option options[] = {
	{ .name = "liid", .argument = "LIID", .help = "only this warrant", .many = true },
	{ .name = "keys", .argument = "FILE", .help = "keys that came another way (JSON)" },
};

static const struct cli_verb verbs[] = {
	{ .operands = "CAPTURE...",
		.operands_min = 1,
		.operands_max = 10000,
		.help = "why a call was found or not, test by test",
		.examples =
			"otway explain call.pcap\notway explain call.pcap --liid NZ-1\notway explain call.pcap --json",
		.notes = "For each set-up where it stopped; then all counters, and what was not used\n"
			 "and why: tunnels left alone, unknown kinds, lost fragments, SIP over TLS or on\n"
			 "other ports. Tunnels, their ports and those of SIP are set by --config FILE\n"
			 "(see deploy/otway.yaml). Only the audit trail is written to. With --quiet the\n"
			 "captures are just read.",
		.options = options,
		.option_count = COUNT_OF(options),
		.run = run_explain },
};

const struct cli_group cmd_explain = {
	.name = "explain",
	.help = "why a call in a capture was found, or where it stopped",
	.notes =
		"For each set-up of a call: which headers named a party, how many were compared with the targets of "
		"the "
		"warrants\n"
		"in use and matched, whether media was described, with how many places and keys, how many packets were "
		"opened,\n"
		"clear or sealed and why, and where it stopped: not-matched, no-sdp, no-media, sealed, partly, "
		"delivered. "
		"Set-ups go by\n"
		"local number and time, so that nobody shows whom no warrant names.\n\n"
		"Then the counters of every stage that are not 0, and what was not used and why, in sentences: tunnels "
		"that "
		"the\n"
		"configuration leaves alone, with their ports; what looks like a tunnel on a port that is none's; "
		"unknown "
		"ethertypes,\n"
		"protocols and UDP by number; lost fragments and segments; SIP over TLS; encrypted ESP; what the "
		"snapshot "
		"length cut.\n"
		"With --json a line for each set-up and a last one with \"counters\" and \"findings\": in each "
		"\"finding\" (its "
		"kind),\n"
		"\"name\" (of the tunnel), \"id\" (port, ethertype or protocol), \"count\" and \"text\".",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
