/* config_show: the configuration as it holds, as an object and in YAML. */
#include "config_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otway/base/text.h"

static json_t *ports_json(const uint16_t *ports, size_t count)
{
	json_t *all = json_array();

	for (size_t i = 0; i < count && ports[i] != 0; i++)
		json_array_append_new(all, json_integer(ports[i]));
	return all;
}

static json_t *decap_json(const struct decap_options *d)
{
	json_t *leave = json_array(), *ports = json_object();

	for (int t = 0; t < DECAP_TUNNELS; t++)
		if (d->leave[t])
			json_array_append_new(leave, json_string(decap_tunnel_name((enum decap_tunnel)t)));
	for (int t = 0; t < DECAP_UDP_TUNNELS; t++)
		json_object_set_new(
			ports, decap_tunnel_name((enum decap_tunnel)t), ports_json(d->ports[t], DECAP_PORTS));
	return json_pack("{s:o, s:o, s:i}", "leave", leave, "ports", ports, "depth",
		(int)(d->depth != 0 ? d->depth : DECAP_DEPTH));
}

static void set_number(json_t *to, const char *name, unsigned value)
{
	json_object_set_new(to, name, json_integer(value));
}

static void set_text(json_t *to, const char *name, const char *value)
{
	if (value != NULL)
		json_object_set_new(to, name, json_string(value));
}

static void set_bool(json_t *to, const char *name, bool value)
{
	json_object_set_new(to, name, json_boolean(value));
}

static json_t *users_json(const struct conf_users *u)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "control", u->control, "intercept", u->intercept, "keys", u->keys,
		"delivery", u->delivery);
}

/* In the order of deploy/otway.yaml. */
static json_t *run_json(const struct conf_run *r)
{
	json_t *run = json_object(), *interfaces = json_array();

	for (unsigned i = 0; i < r->interfaces_count; i++)
		json_array_append_new(interfaces, json_string(r->interfaces[i]));
	json_object_set_new(run, "interfaces", interfaces);
	set_bool(run, "prepare", r->prepare);
	set_number(run, "intercepts", r->intercepts);
	set_number(run, "ring_mib", r->ring_mib);
	set_number(run, "snaplen", r->snaplen);
	set_number(run, "retire_ms", r->retire_ms);
	set_bool(run, "midcall", r->midcall);
	set_number(run, "midcall_mib", r->midcall_mib);
	set_number(run, "hold_kib", r->hold_kib);
	set_number(run, "held_mib", r->held_mib);
	set_text(run, "hold_time", r->hold_time);
	set_text(run, "lease", r->lease);
	set_text(run, "cases", r->cases);
	set_number(run, "rotate_mib", r->rotate_mib);
	set_text(run, "rotate_time", r->rotate_time);
	set_number(run, "sync_ms", r->sync_ms);
	set_text(run, "settle", r->settle);
	set_text(run, "status", r->status);
	set_text(run, "metrics", r->metrics);
	set_text(run, "log_level", r->log_level);
	set_text(run, "kms_files", r->kms_files);
	set_number(run, "watchdog_s", r->watchdog_s);
	set_bool(run, "without_landlock", r->without_landlock);
	json_object_set_new(run, "users", users_json(&r->users));
	return run;
}

json_t *config_json(const struct conf *conf, const struct decap_options *decap, const char *store)
{
	json_t *all = json_object();

	set_text(all, "store", store);
	set_text(all, "kms_header", conf->kms_header);
	json_object_set_new(all, "decap", decap_json(decap));
	json_object_set_new(
		all, "sip", json_pack("{s:o}", "ports", ports_json(conf->sip.ports, conf->sip.ports_count)));
	json_object_set_new(all, "run", run_json(&conf->run));
	return all;
}

/* Does YAML read it as the very text, without quotation marks? */
static bool is_plain(const char *text)
{
	bool letter = text_alpha((uint8_t)text[0]) || text[0] == '/';
	nsec_t span;

	if (conf_span(text, &span))
		return true;
	for (; letter && *text != '\0'; text++)
		letter = text_alpha((uint8_t)*text) || text_digit((uint8_t)*text) || strchr("/._-", *text) != NULL;
	return letter;
}

/* What is no mapping: JSON's forms are YAML's too, but for lists that are easier to read so. */
static void print_value(const json_t *value)
{
	const json_t *one;
	size_t i;

	if (json_is_array(value)) {
		putchar('[');
		json_array_foreach(value, i, one)
		{
			fputs(i > 0 ? ", " : "", stdout);
			print_value(one);
		}
		putchar(']');
	} else if (json_is_string(value) && is_plain(json_string_value(value))) {
		fputs(json_string_value(value), stdout);
	} else {
		json_dumpf(value, stdout, JSON_ENCODE_ANY);
	}
}

static void print_mapping(const json_t *mapping, int column)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)mapping, key, value)
	{
		printf("%*s%s:", column, "", key);
		if (json_is_object(value)) {
			putchar('\n');
			print_mapping(value, column + 2);
		} else {
			putchar(' ');
			print_value(value);
			putchar('\n');
		}
	}
}

void config_print(const json_t *config)
{
	print_mapping(config, 0);
}
