/*
 * role_control_status: the one JSON object that `otway status` asks for. Warrants by local number; nobody's name, identity or address.
 */
#include "role_control.h"

#include <stdlib.h>

#include <jansson.h>

static json_t *json_time(nsec_t at)
{
	char text[NSEC_TEXT];

	return at != NSEC_NONE ? json_string(nsec_text(at, text)) : json_null();
}

static json_t *json_number(uint64_t n)
{
	return json_integer(n < INT64_MAX ? (json_int_t)n : INT64_MAX);
}

/* Supervise would restart control if it were gone, and ends it when it goes. */
static bool is_alive(const struct control *c, const struct board_role *r)
{
	nsec_t patience =
		(nsec_t)(c->start->conf.run.watchdog_s > 1 ? c->start->conf.run.watchdog_s : 2) * NSEC_PER_SEC;

	if (r->role == ROLE_CONTROL || r->role == ROLE_SUPERVISE)
		return true;
	return !r->down && r->heard != NSEC_NONE && loop_now() - r->heard <= patience;
}

static json_t *child(json_t *object, const char *key)
{
	json_t *found = json_object_get(object, key);

	if (found != NULL)
		return found;
	json_object_set_new(object, key, json_object());
	return json_object_get(object, key);
}

/* Adds up over roles what several of them count; heights too, as rooms of several processes are. */
static void add(json_t *to, const char *name, uint64_t value)
{
	json_object_set_new(to, name, json_number((uint64_t)json_integer_value(json_object_get(to, name)) + value));
}

static bool is_interface(const struct control *c, const char *of)
{
	const struct conf_run *run = &c->start->conf.run;

	for (unsigned i = 0; i < run->interfaces_count; i++)
		if (strcmp(run->interfaces[i], of) == 0)
			return true;
	return false;
}

static json_t *role_json(const struct control *c, const struct board_role *r)
{
	json_t *counters = json_object(), *of = json_object();

	for (size_t i = 0; i < r->count; i++) {
		const struct board_count *n = &r->counts[i];

		json_object_set_new(n->of[0] == '\0' ? counters : child(of, n->of), n->name, json_number(n->value));
	}
	return json_pack("{s:s, s:i, s:b, s:o, s:o, s:o, s:o}", "role", role_text(r->role), "index", (int)r->index,
		"alive", is_alive(c, r), "up_since", json_time(r->up), "restarts", json_number(r->restarts), "counters",
		counters, "of", of);
}

static json_t *roles_json(const struct control *c)
{
	json_t *all = json_array();

	for (size_t i = 0; i < c->board.role_count; i++)
		json_array_append_new(all, role_json(c, &c->board.roles[i]));
	return all;
}

/* What all roles count together, and of each interface. */
static void totals_json(const struct control *c, json_t *counters, json_t *interfaces)
{
	for (unsigned i = 0; i < c->start->conf.run.interfaces_count; i++)
		child(interfaces, c->start->conf.run.interfaces[i]);
	for (size_t i = 0; i < c->board.role_count; i++) {
		const struct board_role *r = &c->board.roles[i];

		for (size_t k = 0; k < r->count; k++) {
			const struct board_count *n = &r->counts[k];

			if (n->of[0] == '\0')
				add(counters, n->name, n->value);
			else if (is_interface(c, n->of))
				add(child(interfaces, n->of), n->name, n->value);
		}
	}
}

static json_t *active_json(const struct control *c)
{
	json_t *all = json_array();

	for (size_t i = 0; i < c->board.active_count; i++)
		json_array_append_new(all, json_pack("{s:o, s:o}", "warrant", json_number(c->board.active[i].warrant),
						   "calls", json_number(c->board.active[i].calls)));
	return all;
}

static json_t *alarms_json(const struct control *c)
{
	json_t *all = json_array();

	for (size_t i = 0; i < c->board.alarm_count; i++) {
		const struct board_alarm *a = &c->board.alarms[i];

		json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:i, s:o, s:s}", "alarm", alarm_text(a->alarm),
						   "of", a->of, "role", role_text(a->role), "index", (int)a->index,
						   "since", json_time(a->since), "text", a->text));
	}
	return all;
}

static json_t *store_json(const struct control *c)
{
	const struct control_table *t = &c->tables.now;

	return json_pack("{s:s, s:o, s:o, s:s?}", "state", control_store_text(c->store), "last_seen",
		json_time(t->there ? t->lease.seen : NSEC_NONE), "lease_until",
		json_time(t->there ? t->lease.until : NSEC_NONE), "text",
		c->store_text[0] != '\0' ? c->store_text : NULL);
}

static json_t *table_json(const struct control *c)
{
	const struct control_count n = tables_count(&c->tables, nsec_now());

	return json_pack("{s:b, s:o, s:o, s:o, s:o}", "known", c->tables.now.there, "in_force", json_number(n.in_force),
		"pending", json_number(n.pending), "ended", json_number(n.ended), "agreements",
		json_number(n.agreements));
}

/* What was there first: supervise. */
static nsec_t started(const struct control *c)
{
	return c->board.role_count > 0 ? c->board.roles[0].up : NSEC_NONE;
}

bool control_status(void *arg, struct buf *out)
{
	const struct control *c = arg;
	json_t *counters = json_object(), *interfaces = json_object(), *all;
	char *text;

	totals_json(c, counters, interfaces);
	all = json_pack("{s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "otway", OTWAY_VERSION, "at",
		json_time(nsec_now()), "since", json_time(started(c)), "run", (json_int_t)c->start->run, "roles",
		roles_json(c), "counters", counters, "interfaces", interfaces, "interceptions", active_json(c),
		"alarms", alarms_json(c), "store", store_json(c), "table", table_json(c));
	text = all != NULL ? json_dumps(all, JSON_COMPACT) : NULL;
	json_decref(all);
	if (text != NULL)
		buf_printf(out, "%s\n", text);
	free(text);
	return text != NULL && !out->failed;
}
