/* cmd_status: asks the system that runs how it is, and prints what it answers. */
#include "inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "otway/local.h"

#define PLACE_USUAL "/run/otway/status"
#define ANSWER_MAX  ((size_t)16 << 20)
#define PATIENCE    (5 * NSEC_PER_SEC)

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "-";
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void say_store(const struct cli *c, const json_t *told)
{
	const json_t *store = json_object_get(told, "store"), *table = json_object_get(told, "table");

	output_say(c, "otway %s since %s", text_of(told, "otway"), text_of(told, "since"));
	output_say(c, "store: %s, last seen %s; warrants hold until %s at most", text_of(store, "state"),
		text_of(store, "last_seen"), text_of(store, "lease_until"));
	if (json_is_true(json_object_get(table, "known")))
		output_say(c, "warrants: %" JSON_INTEGER_FORMAT " in force, %" JSON_INTEGER_FORMAT " pending",
			number_of(table, "in_force"), number_of(table, "pending"));
	else
		output_say(c, "warrants: not known to this process; the others hold what they had");
}

static void say_active(const struct cli *c, const json_t *told)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(told, "interceptions"), i, one)
		output_say(c, "warrant %" JSON_INTEGER_FORMAT ": %" JSON_INTEGER_FORMAT " calls under way",
			number_of(one, "warrant"), number_of(one, "calls"));
}

static void say_alarms(const struct cli *c, const json_t *told)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(told, "alarms"), i, one) output_say(c, "ALARM %s%s%s since %s: %s",
		text_of(one, "alarm"), json_string_length(json_object_get(one, "of")) > 0 ? " " : "",
		json_string_length(json_object_get(one, "of")) > 0 ? text_of(one, "of") : "", text_of(one, "since"),
		text_of(one, "text"));
}

static void print_roles(const struct cli *c, const json_t *told)
{
	static const char *const heads[] = { "ROLE", "INDEX", "STATE", "UP SINCE", "RESTARTS" };
	struct output_table table = { 0 };
	json_t *one;
	size_t i;

	output_row(&table, heads, COUNT_OF(heads));
	json_array_foreach(json_object_get(told, "roles"), i, one)
	{
		char index[24], restarts[24];
		const char *const cells[] = { text_of(one, "role"), index,
			json_is_true(json_object_get(one, "alive")) ? "alive" : "silent", text_of(one, "up_since"),
			restarts };

		snprintf(index, sizeof(index), "%" JSON_INTEGER_FORMAT, number_of(one, "index"));
		snprintf(restarts, sizeof(restarts), "%" JSON_INTEGER_FORMAT, number_of(one, "restarts"));
		output_row(&table, cells, COUNT_OF(cells));
	}
	output_say(c, "%s", "");
	output_table(&table, !c->quiet);
}

static void add_counters(struct output_table *table, const char *of, json_t *counters)
{
	const char *name;
	json_t *value;

	json_object_foreach(counters, name, value)
	{
		char number[24];
		const char *const cells[] = { of, name, number };

		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		if (json_integer_value(value) != 0)
			output_row(table, cells, COUNT_OF(cells));
	}
}

/* Those that are 0 are left out. */
static void print_counters(const struct cli *c, const json_t *told)
{
	static const char *const heads[] = { "OF", "COUNTER", "VALUE" };
	struct output_table table = { 0 };
	const char *name;
	json_t *one;

	output_row(&table, heads, COUNT_OF(heads));
	json_object_foreach(json_object_get(told, "interfaces"), name, one) add_counters(&table, name, one);
	add_counters(&table, "all", json_object_get(told, "counters"));
	output_say(c, "%s", "");
	output_table(&table, !c->quiet);
}

static void print_all(const struct cli *c, const json_t *told)
{
	say_store(c, told);
	say_active(c, told);
	say_alarms(c, told);
	print_roles(c, told);
	print_counters(c, told);
}

/* Where no file was named, the usual one may say where; whoever may not read it asks at the usual place. */
static const char *place_of(struct cli *c)
{
	struct err err;

	if (args_text(c, "config") == NULL && access(CLI_CONFIG, R_OK) == 0 &&
		conf_read(CLI_CONFIG, &c->conf, &err) < 0)
		conf_clear(&c->conf);
	return c->conf.run.status != NULL ? c->conf.run.status : PLACE_USUAL;
}

static int run_status(struct cli *c, struct err *err)
{
	const char *place = place_of(c);
	struct buf text = { 0 };
	json_t *told = NULL;
	int rc = local_ask(place, ANSWER_MAX, PATIENCE, &text, err);

	if (rc == 0 && (told = json_loadb((const char *)text.at, text.len, JSON_REJECT_DUPLICATES, NULL)) == NULL)
		rc = err_code(err, EXIT_UNREACHABLE, "%s: what answers there is no otway", place);
	buf_clear(&text);
	if (rc < 0)
		return err_in(err, "asking the system that runs");
	if (c->json)
		output_json(json_incref(told));
	else
		print_all(c, told);
	json_decref(told);
	return EXIT_DONE;
}

static const struct cli_verb verbs[] = {
	{ .help = "how the live system is: roles, counters, alarms",
		.examples = "otway status\n"
			    "otway status --json --config otway.yaml",
		.notes = "Asks at the socket that run.status of the configuration names (by itself it\n"
			 "looks into " CLI_CONFIG "; usually it is " PLACE_USUAL ").\n"
			 "It answers root and the user that control runs as. Exit code 6 when nobody\n"
			 "answers. An alarm that is on changes no exit code.",
		.run = run_status },
};

const struct cli_group cmd_status = {
	.name = "status",
	.help = "how the live system is: roles, counters, alarms",
	.notes = "With --json one object. Nothing in it names a target, an agency or a call; warrants appear by their "
		 "local number.\n\n"
		 " otway, at, since, run: the version; the moment; when this otway was started; its number\n"
		 " roles: each process: role, index, alive (it was heard of within the watchdog's time), up_since "
		 "(null: "
		 "not known), restarts, counters (by name), of (the same of an interface, or of the role that messages "
		 "wait "
		 "for)\n"
		 " counters: by name, all roles together; heights (of a queue, say) are added up too\n"
		 " interfaces: by name, the counters of each\n"
		 " interceptions: warrant (its number), calls (under way now)\n"
		 " alarms: alarm (store, lease, disk, interface, drops, kms, clock, role, audit, config, room), of (an "
		 "interface, "
		 "a role, an agreement's number, or \"\"), role and index (who says so), since, text\n"
		 " store: state, one of right, away, other (another store answers, an empty one, or an older copy), "
		 "silent "
		 "(it does not answer), unknown (not asked yet); last_seen; lease_until (nothing is intercepted after "
		 "that "
		 "if the store is not found right again); text (what is wrong, or null)\n"
		 " table: known (false: this process has not seen the store since it was started), in_force, pending, "
		 "ended "
		 "(delivery may have their cases open still), agreements (with KMSs)\n\n"
		 "The same numbers come as metrics for Prometheus where run.metrics of the configuration says: GET "
		 "/metrics "
		 "at a unix socket or a port of the loopback interface. Counters are otway_NAME_total, heights "
		 "otway_NAME, "
		 "alarms otway_alarm_NAME (how many of that kind are on); the only labels are role, index and "
		 "interface.",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
