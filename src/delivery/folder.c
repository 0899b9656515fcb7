/* folder: each record to the warrant it belongs to; at the end every warrant's folder, and all of them in place at
 * once. */
#include "otway/folder.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/table.h"

#include "audio.h"
#include "captures.h"
#include "case_json.h"
#include "holdings.h"
#include "manifest.h"
#include "report.h"
#include "tally.h"

struct folder {
	const struct warrant_set *set;
	char *dir; /* as given, for errors */
	struct stage *stage;
	struct spools *spools;
	struct table *holdings; /* warrant's number → holding, walked in the order they came to be */
};

void folder_name(const char *liid, char out[3 * 25 + 1])
{
	size_t n = 0;

	for (size_t i = 0; liid[i] != '\0' && i < LIID_MAX; i++) {
		uint8_t c = (uint8_t)liid[i];

		if (c < ' ' || c >= 0x7f || c == '/' || c == '%' || (i == 0 && c == '.'))
			n += (size_t)snprintf(out + n, 4, "%%%02X", c);
		else
			out[n++] = (char)c;
	}
	out[n] = '\0';
}

int folder_new(struct folder **out, const char *dir, const struct warrant_set *set, struct err *err)
{
	struct folder *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return err_set(err, "out of memory");
	f->set = set;
	if (stage_new(&f->stage, dir, err) < 0) {
		folder_free(f);
		return -1;
	}
	f->dir = strdup(dir);
	f->spools = spools_new(f->stage);
	f->holdings = table_new();
	if (f->dir == NULL || f->spools == NULL || f->holdings == NULL) {
		folder_free(f);
		return err_set(err, "out of memory");
	}
	*out = f;
	return 0;
}

void folder_free(struct folder *f)
{
	struct holding *h;
	size_t step = 0;

	if (f == NULL)
		return;
	while (f->holdings != NULL && (h = table_next(f->holdings, &step, NULL)) != NULL)
		holding_free(h);
	table_free(f->holdings);
	spools_free(f->spools);
	stage_free(f->stage);
	free(f->dir);
	free(f);
}

/* What is kept for a warrant; begun with its first record. */
static struct holding *holding_of(struct folder *f, uint32_t number, struct err *err)
{
	struct bytes key = { (uint8_t *)&number, sizeof(number) };
	struct holding *h = table_get(f->holdings, key);
	const struct warrant *w;

	if (h != NULL)
		return h;
	w = warrant_find(f->set, number);
	if (w == NULL) {
		err_set(err, "a record of a warrant that is not in the table");
		return NULL;
	}
	h = stage_begin(f->stage, err) == 0 ? holding_new(w, f->spools) : NULL;
	if (h == NULL)
		return NULL;
	if (!table_put(f->holdings, key, h)) {
		holding_free(h);
		err_set(err, "out of memory");
		return NULL;
	}
	return h;
}

int folder_take(struct folder *f, const struct record *r, struct err *err)
{
	struct holding *h = holding_of(f, r->warrant, err);

	if (h == NULL || holding_take(h, r, err) < 0)
		return err_in(err, "the case folder %s", f->dir);
	return 0;
}

/* Signalling, media and figures of one warrant: all that needs keys. */
static int write_captures(struct folder *f, struct holding *h, struct err *err)
{
	holding_order(h);
	if (stage_dir(f->stage, h->name, err) < 0)
		return -1;
	for (uint32_t i = 0; i < h->call_count; i++)
		if (captures_call(h, h->calls[i], f->stage, err) < 0 || tally_call(h, h->calls[i], err) < 0)
			return -1;
	return captures_other(h, f->stage, err);
}

/* What is made of them, for people and tools. */
static int write_accounts(struct folder *f, struct holding *h, const struct run_facts *run, struct err *err)
{
	for (uint32_t i = 0; i < h->call_count; i++)
		if (audio_call(h, h->calls[i], f->stage, err) < 0)
			return -1;
	if (case_json(h, run, f->stage, "case.json", err) < 0 || report_write(h, run, f->stage, "report.html", err) < 0)
		return -1;
	return manifest_write(f->stage, h->name, "MANIFEST.sha256", NULL, err);
}

static void add_up(const struct holding *h, struct folder_result *out)
{
	out->warrants++;
	out->calls += h->call_count;
	out->events += h->event_count;
	out->audio_failed += h->counts.audio_failed;
	for (uint32_t i = 0; i < h->call_count; i++)
		for (uint32_t j = 0; j < h->calls[i]->stream_count; j++) {
			const struct held_stream *s = h->calls[i]->streams[j];

			out->streams += held_packets(s) > 0;
			out->sealed += s->sealed > 0;
		}
}

static int write_all(struct folder *f, const struct run_facts *run, struct folder_result *out, struct err *err)
{
	struct holding *h;
	size_t step;

	for (step = 0; (h = table_next(f->holdings, &step, NULL)) != NULL;)
		if (write_captures(f, h, err) < 0)
			return -1;
	/* Decoders of foreign octets run behind this line, in processes that begin as copies of this one. */
	for (step = 0; (h = table_next(f->holdings, &step, NULL)) != NULL;)
		holding_wipe_keys(h);
	for (step = 0; (h = table_next(f->holdings, &step, NULL)) != NULL;) {
		if (write_accounts(f, h, run, err) < 0)
			return -1;
		add_up(h, out);
	}
	spools_remove(f->spools);
	return stage_place(f->stage, err);
}

int folder_finish(struct folder *f, const struct folder_input *inputs, size_t input_count,
	const struct counter *counters, size_t counter_count, struct folder_result *out, struct err *err)
{
	const struct run_facts run = { inputs, input_count, counters, counter_count, NULL };

	*out = (struct folder_result){ 0 };
	if (table_size(f->holdings) == 0)
		return 0;
	if (write_all(f, &run, out, err) < 0) {
		*out = (struct folder_result){ 0 };
		return err_in(err, "the case folder %s", f->dir);
	}
	return 0;
}
