/* case_json: the facts as they stand, unknown ones null, in the order of the contract. */
#include "case_json.h"

#include <jansson.h>

#include "call_json.h"
#include "value.h"

static json_t *inputs_of(const struct run_facts *run)
{
	json_t *all = json_array();

	for (size_t i = 0; i < run->input_count; i++) {
		const struct folder_input *in = &run->inputs[i];
		json_t *one = json_object();

		value_set(one, "file", value_text(in->name));
		value_set(one, "sha256", value_hash(in->sha256));
		value_set(one, "packets", value_number(in->packets));
		value_set(one, "first", value_moment(in->packets > 0 ? in->first : NSEC_NONE));
		value_set(one, "last", value_moment(in->packets > 0 ? in->last : NSEC_NONE));
		json_array_append_new(all, one);
	}
	return all;
}

static json_t *period_of(const struct period_facts *p)
{
	json_t *one = json_object();

	value_set(one, "from", value_moment(p->from));
	value_set(one, "until", value_moment(p->until));
	value_set(one, "open", json_boolean(p->until == NSEC_NONE));
	return one;
}

static json_t *warrant_of(const struct warrant *w)
{
	json_t *one = json_object(), *targets = json_array();

	for (size_t i = 0; i < w->target_count; i++)
		json_array_append_new(targets, value_text(w->targets[i].uri));
	value_set(one, "liid", value_text(w->liid));
	value_set(one, "agency", value_text(w->agency));
	value_set(one, "targets", targets);
	value_set(one, "from", value_moment(w->from));
	value_set(one, "until", value_moment(w->until));
	value_set(one, "scope", json_string(warrant_scope_text(w->scope)));
	value_set(one, "diverted", json_string(warrant_diverted_text(w->diverted)));
	value_set(one, "authority", value_text(w->authority));
	return one;
}

static json_t *events_of(const struct holding *h)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < h->event_count; i++) {
		const struct held_event *e = &h->events[i];
		json_t *one = json_object();

		value_set(one, "at", value_moment(e->at));
		value_set(one, "method", value_word(e->method));
		value_set(one, "status", e->status != 0 ? value_number(e->status) : NULL);
		value_set(one, "from", value_text(e->from));
		value_set(one, "to", value_text(e->to));
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
		value_set(all, run->counters[i].name, value_number(run->counters[i].value));
	for (size_t i = 0; i < count; i++)
		value_set(all, own[i].name, value_number(own[i].value));
	return all;
}

static json_t *whole(const struct holding *h, const struct run_facts *run)
{
	json_t *root = json_object(), *calls = json_array();

	for (uint32_t i = 0; i < h->call_count; i++)
		json_array_append_new(calls, call_json(h, h->calls[i], run));
	value_set(root, "schema", value_number(1));
	value_set(root, "otway", json_string(OTWAY_VERSION));
	value_set(root, "inputs", inputs_of(run));
	if (run->period != NULL) {
		value_set(root, "period", period_of(run->period));
		value_set(root, "gaps", call_json_gaps(run->period, NULL));
	}
	value_set(root, "warrant", warrant_of(h->warrant));
	value_set(root, "keys_removed", value_number(h->keys_removed));
	value_set(root, "calls", calls);
	value_set(root, "events", events_of(h));
	value_set(root, "counters", counters_of(h, run));
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
