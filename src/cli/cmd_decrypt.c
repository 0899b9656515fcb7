/* cmd_decrypt: offline: every call in the captures that a warrant covers, as case folders. */
#include "inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "otway/base/file.h"
#include "otway/folder.h"
#include "reading.h"

struct decrypting {
	struct cli *c;
	struct reading reading;
	struct folder *folder;
	struct folder_result result;
	bool *found; /* by local number of warrant: something was */
	uint32_t number_max;
};

static int take(void *arg, const struct record *record, struct err *err)
{
	struct decrypting *d = arg;

	if (record->warrant <= d->number_max)
		d->found[record->warrant] = true;
	return folder_take(d->folder, record, err);
}

static int prepare(struct decrypting *d, struct err *err)
{
	for (size_t i = 0; i < d->reading.warrants.count; i++)
		if (d->reading.warrants.all[i].number > d->number_max)
			d->number_max = d->reading.warrants.all[i].number;
	d->found = calloc((size_t)d->number_max + 1, sizeof(*d->found));
	return d->found != NULL ? 0 : err_set(err, "out of memory");
}

static int finish(struct decrypting *d, struct err *err)
{
	size_t count = capture_file_count(d->reading.capture);
	struct folder_input *inputs = calloc(count, sizeof(*inputs));
	struct counter counters[READING_COUNTERS];
	int rc;

	if (inputs == NULL)
		return err_set(err, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct capture_file *f = capture_file(d->reading.capture, i);

		inputs[i] = (struct folder_input){
			.name = cli_base_name(f->name), .packets = f->packets, .first = f->first, .last = f->last
		};
		memcpy(inputs[i].sha256, f->sha256, SHA256_LEN);
	}
	/* A case folder belongs to one warrant: what other warrants found is not counted in it. */
	rc = folder_finish(
		d->folder, inputs, count, counters, reading_counts(&d->reading, false, counters), &d->result, err);
	free(inputs);
	return rc;
}

static int work(struct decrypting *d, struct err *err)
{
	if (reading_open(&d->reading, d->c, true, false, err) < 0 ||
		folder_new(&d->folder, args_text(d->c, "out"), &d->reading.warrants, err) < 0 ||
		reading_run(&d->reading, d->c, take, d, err) < 0)
		return -1;
	return finish(d, err);
}

/* The captures as they were read, for the trail. */
static json_t *inputs_json(const struct decrypting *d)
{
	json_t *inputs = json_array();

	for (size_t i = 0; i < capture_file_count(d->reading.capture); i++) {
		const struct capture_file *f = capture_file(d->reading.capture, i);
		char *name = cli_clean(cli_base_name(f->name));

		json_array_append_new(inputs, json_pack("{s:s?, s:o}", "file", name, "sha256", output_hash(f->sha256)));
		free(name);
	}
	return inputs;
}

static json_t *outcome_json(const struct decrypting *d, int rc)
{
	const struct folder_result *r = &d->result;
	json_t *found = json_array();

	if (rc < 0)
		return json_pack("{s:s, s:o}", "outcome", "failed", "found", found);
	for (size_t i = 0; i < d->reading.warrants.count; i++)
		if (d->found[d->reading.warrants.all[i].number])
			json_array_append_new(found, json_string(d->reading.warrants.all[i].liid));
	return json_pack("{s:s, s:o, s:o, s:i, s:i, s:i, s:i}", "outcome",
		r->warrants == 0 ? "nothing"
		: r->sealed > 0  ? "partly"
				 : "done",
		"found", found, "captures", inputs_json(d), "calls", (int)r->calls, "events", (int)r->events, "streams",
		(int)r->streams, "sealed", (int)r->sealed);
}

static int tell(const struct decrypting *d)
{
	const struct folder_result *r = &d->result;
	const char *out = args_text(d->c, "out");

	if (r->warrants == 0)
		output_note(d->c, "nothing in %s is covered by %s; %s was not made",
			d->c->operand_count == 1 ? "this capture" : "these captures",
			d->reading.warrants.count > 0 ? "a warrant in use" : "a warrant, since none is in use", out);
	if (r->audio_failed > 0)
		output_note(d->c,
			"no sound could be made of %" PRIu64
			" call%s: is otway-decode installed? The packets are all there",
			r->audio_failed, r->audio_failed == 1 ? "" : "s");
	if (d->c->json)
		output_json(json_pack("{s:s?, s:i, s:i, s:i, s:i, s:i}", "out", r->warrants > 0 ? out : NULL,
			"warrants", (int)r->warrants, "calls", (int)r->calls, "events", (int)r->events, "streams",
			(int)r->streams, "sealed", (int)r->sealed));
	else if (r->warrants > 0)
		output_say(d->c,
			"%s: %" PRIu32 " case folder%s, %" PRIu32 " call%s, %" PRIu32 " event%s, %" PRIu32
			" stream%s, %" PRIu32 " of them sealed",
			out, r->warrants, r->warrants == 1 ? "" : "s", r->calls, r->calls == 1 ? "" : "s", r->events,
			r->events == 1 ? "" : "s", r->streams, r->streams == 1 ? "" : "s", r->sealed);
	return r->sealed > 0 ? EXIT_PARTLY : EXIT_DONE;
}

static int decrypt(struct decrypting *d, struct err *err)
{
	struct err spare;
	int rc;

	if (cli_store(d->c, false, err) < 0 || reading_warrants(&d->reading, d->c, err) < 0 || prepare(d, err) < 0 ||
		file_empty_dir(args_text(d->c, "out"), err) < 0 ||
		cli_audit(d->c, "decrypt", "captures", reading_detail(&d->reading, d->c), err) < 0)
		return -1;
	rc = work(d, err);
	if (cli_audit(d->c, "decrypt.done", "captures", outcome_json(d, rc), rc < 0 ? &spare : err) < 0 && rc == 0)
		rc = err_in(err, "the case folders are whole, but their outcome is not in the trail");
	return rc;
}

static int run_decrypt(struct cli *c, struct err *err)
{
	struct decrypting d = { .c = c };
	int rc = decrypt(&d, err);

	folder_free(d.folder);
	if (rc == 0)
		rc = tell(&d);
	reading_clear(&d.reading);
	free(d.found);
	return rc;
}

static const char later[] = "not in this version of otway";

static const struct cli_option options[] = {
	{ .name = "out", .argument = "DIR", .help = "where case folders go; new, or empty", .required = true },
	{ .name = "liid", .argument = "LIID", .help = "only this warrant", .many = true },
	{ .name = "keys", .argument = "FILE", .help = "keys that came another way (JSON)" },
	{ .name = "kms", .help = "ask the KMSs there are agreements with" },
	{ .name = "cross-check", .absent = later },
};

static const struct cli_verb verbs[] = {
	{ .operands = "CAPTURE...",
		.operands_min = 1,
		.operands_max = 10000,
		.help = "what warrants cover in captures, as case folders",
		.examples = "otway decrypt call.pcap --out case/\n"
			    "otway decrypt monday.pcap tuesday.pcapng --out case/ --liid NZ-1\n"
			    "zcat big.pcap.gz | otway decrypt - --out case/",
		.notes = "Each warrant that covers something gets DIR/LIID/: case.json, report.html and\n"
			 "the evidence. Exit code 5: a stream stayed sealed; case.json says why. What is\n"
			 "unwrapped, and where SIP is looked for, is set by --config FILE (see\n"
			 "deploy/otway.yaml).",
		.options = options,
		.option_count = COUNT_OF(options),
		.run = run_decrypt },
};

const struct cli_group cmd_decrypt = {
	.name = "decrypt",
	.help = "what warrants cover in captures, as case folders",
	.notes = "Reads pcap and pcapng files, merged in the order of time; - is standard input. Every warrant in use "
		 "is applied,\n"
		 "or those that --liid names. What is found is written aside and put in place when it is whole. When "
		 "nothing is\n"
		 "covered, DIR is not made. A run that is killed (SIGKILL, power) leaves\n"
		 ".DIR.partial-XXXXXX beside DIR: evidence that is not whole, to be removed; no later run minds it.\n\n"
		 "--keys FILE is a JSON array of objects with \"suite\" and \"inline\" (base64 of master key and salt, "
		 "as in a=crypto),\n"
		 "and any of \"call_id\", \"src\", \"dst\" (ADDR:PORT), \"ssrc\" (\"0x89abcdef\"), \"mki\" (hex, or "
		 "VALUE:LENGTH) to say where\n"
		 "it belongs. The file must be private to its owner.\n\n"
		 "--kms asks for keys of calls that have theirs from a KMS, of the KMSs that otway kms add made known, "
		 "and\n"
		 "of no other. Reading stops at each key until it is there or finally refused. Each request is in the "
		 "audit\n"
		 "trail before it is sent. Without --kms no socket is ever opened.",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
