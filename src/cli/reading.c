/* reading: captures through the pipeline, with progress, and with an end when somebody interrupts. */
#include "reading.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "otway/base/log.h"
#include "otway/base/text.h"

#define LOOK_EVERY 4096 /* frames between looks at the clock */

static volatile sig_atomic_t interrupted; /* all that a signal handler may touch */

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* A first signal ends the reading in good order, a second one the process. */
static void listen_for_interrupts(void)
{
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

int reading_warrants(struct reading *r, struct cli *c, struct err *err)
{
	size_t count;
	const char **liids = args_all(c, "liid", &count);
	int rc;

	if (liids == NULL)
		return err_set(err, "out of memory");
	listen_for_interrupts();
	rc = store_warrants_in_use(c->store, liids, count, &r->warrants, err);
	free(liids);
	if (rc == 0 && args_text(c, "keys") != NULL && file_keys_read(args_text(c, "keys"), &r->keys, err) < 0)
		rc = cli_no_file(err);
	if (rc == 0)
		log_debug("%zu warrants in use, %zu keys given", r->warrants.count, r->keys.count);
	return rc;
}

static int give_keys(struct reading *r, struct err *err)
{
	for (size_t i = 0; i < r->keys.count; i++)
		if (!pipeline_key(r->pipeline, &r->keys.all[i].key, r->keys.all[i].call_id))
			return err_set(err, "out of memory");
	return 0;
}

int reading_open(struct reading *r, struct cli *c, bool hash, bool explain, struct err *err)
{
	struct pipeline_options options = {
		.kms_header = c->conf.kms_header,
		.decap = &c->decap,
		.sip_ports = c->conf.sip.ports,
		.sip_port_count = c->conf.sip.ports_count,
		.explain = explain,
	};

	if (capture_open_files(&r->capture, c->operands, c->operand_count, hash, decap_knows, err) < 0)
		return cli_no_file(err);
	if (args_given(c, "kms") && ask_new(&r->ask, c, &r->warrants, err) < 0)
		return -1;
	options.kms = r->ask != NULL;
	r->pipeline = pipeline_new(&options);
	if (r->pipeline == NULL || !pipeline_targets(r->pipeline, &r->warrants))
		return err_set(err, "out of memory");
	return give_keys(r, err);
}

static bool is_interrupted(void)
{
	return interrupted;
}

static int drain(struct reading *r, int (*take)(void *arg, const struct record *record, struct err *err), void *arg,
	struct err *err)
{
	const struct record *record;

	while (pipeline_next(r->pipeline, &record)) {
		if (ask_is_for(record)) {
			if (ask_record(r->ask, record, r->pipeline, is_interrupted, err) < 0)
				return -1;
		} else if (take != NULL && take(arg, record, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int all_frames(struct reading *r, struct progress *progress,
	int (*take)(void *arg, const struct record *record, struct err *err), void *arg, struct err *err)
{
	struct frame frame;
	unsigned count = 0;
	int rc = 0;

	while (!interrupted && (rc = capture_next(r->capture, &frame, err)) > 0) {
		pipeline_take(r->pipeline, &frame);
		if (drain(r, take, arg, err) < 0)
			return -1;
		if (++count % LOOK_EVERY == 0)
			progress_show(progress, capture_octets(r->capture));
	}
	/* Also when whoever wrote to our standard input was interrupted with us: this is no end of a capture. */
	return interrupted ? err_set(err, "interrupted") : rc;
}

static void tell_counts(const struct reading *r)
{
	struct counter counters[READING_COUNTERS];
	size_t count = reading_counts(r, true, counters);

	for (size_t i = 0; i < count; i++)
		if (counters[i].value > 0)
			log_debug("%s: %" PRIu64, counters[i].name, counters[i].value);
}

int reading_run(struct reading *r, const struct cli *c,
	int (*take)(void *arg, const struct record *record, struct err *err), void *arg, struct err *err)
{
	struct progress progress;
	int rc;

	progress_begin(&progress, c, c->operands, c->operand_count);
	rc = all_frames(r, &progress, take, arg, err);
	progress_end(&progress);
	if (rc < 0)
		return -1;
	pipeline_end(r->pipeline);
	if (drain(r, take, arg, err) < 0)
		return -1;
	ask_free(r->ask); /* nobody is asked any more */
	r->ask = NULL;
	for (size_t i = 0; i < capture_file_count(r->capture); i++)
		if (capture_file(r->capture, i)->cut)
			output_note(c, "%s: its last packet is not whole, and lost", capture_file(r->capture, i)->name);
	if (log_level_get() >= LOG_LEVEL_DEBUG)
		tell_counts(r);
	return 0;
}

void reading_clear(struct reading *r)
{
	ask_free(r->ask);
	pipeline_free(r->pipeline);
	capture_free(r->capture);
	file_keys_clear(&r->keys);
	warrant_set_clear(&r->warrants);
	*r = (struct reading){ 0 };
}

json_t *reading_detail(const struct reading *r, const struct cli *c)
{
	json_t *captures = json_array(), *liids = json_array(), *detail;
	size_t count = 0;
	const char **asked = args_all(c, "liid", &count);
	char hex[SHA256_HEX];

	for (size_t i = 0; i < c->operand_count; i++) {
		char *name = cli_clean(cli_base_name(c->operands[i]));

		json_array_append_new(captures, json_string(name != NULL ? name : ""));
		free(name);
	}
	for (size_t i = 0; asked != NULL && i < count; i++)
		json_array_append_new(liids, json_string(asked[i]));
	free(asked);
	detail = json_pack("{s:o, s:i, s:o}", "captures", captures, "warrants", (int)r->warrants.count, "liids", liids);
	if (args_given(c, "kms") && detail != NULL)
		json_object_set_new(detail, "kms", json_true());
	if (args_text(c, "keys") != NULL && detail != NULL)
		json_object_set_new(detail, "keys_sha256",
			json_string(text_hex((struct bytes){ r->keys.sha256, SHA256_LEN }, hex)));
	return detail;
}

size_t reading_counts(const struct reading *r, bool all, struct counter out[READING_COUNTERS])
{
	size_t count = capture_counts(r->capture, out, READING_COUNTERS);

	if (all)
		return count + pipeline_counts(r->pipeline, out + count, READING_COUNTERS - count);
	return count + pipeline_counts_capture(r->pipeline, out + count, READING_COUNTERS - count);
}

json_t *reading_counts_json(const struct counter *counters, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++)
		json_object_set_new(object, counters[i].name, json_integer((json_int_t)counters[i].value));
	return object;
}
