/*
 * role_control_metrics: what the roles count, in the text format of Prometheus (version 0.0.4): a family is told in one piece, with
 * what it is and its kind.
 * The only labels are role, index and interface: what else a count may be of is added up.
 */
#include "role_control.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PREFIX "otway_"

/* One line; of what nobody may read a name, interface is "". */
struct sample {
	char family[BOARD_NAME + 16];
	const char *interface;
	const struct board_role *role; /* NULL: of all of it */
	uint64_t value;
	bool gauge;
};

struct samples {
	struct sample *all;
	size_t count, room;
	bool failed;
};

static void add(struct samples *s, const char *name, const struct board_role *role, const char *interface,
	uint64_t value, bool gauge)
{
	struct sample *one;

	if (s->count == s->room) {
		struct sample *grown = realloc(s->all, (s->room * 2 + 256) * sizeof(*grown));

		if (grown == NULL) {
			s->failed = true;
			return;
		}
		s->all = grown;
		s->room = s->room * 2 + 256;
	}
	one = &s->all[s->count++];
	*one = (struct sample){ .interface = interface, .role = role, .value = value, .gauge = gauge };
	snprintf(one->family, sizeof(one->family), PREFIX "%s%s", name, gauge ? "" : "_total");
}

static const char *interface_of(const struct control *c, const char *of)
{
	const struct conf_run *run = &c->start->conf.run;

	for (unsigned i = 0; i < run->interfaces_count; i++)
		if (strcmp(run->interfaces[i], of) == 0)
			return run->interfaces[i];
	return "";
}

static void add_roles(struct samples *s, const struct control *c)
{
	for (size_t i = 0; i < c->board.role_count; i++) {
		const struct board_role *r = &c->board.roles[i];

		add(s, "role_restarts", r, "", r->restarts, false);
		if (r->up != NSEC_NONE)
			add(s, "role_up_since_seconds", r, "", (uint64_t)(r->up / NSEC_PER_SEC), true);
		for (size_t k = 0; k < r->count; k++)
			add(s, r->counts[k].name, r, interface_of(c, r->counts[k].of), r->counts[k].value,
				r->counts[k].gauge);
	}
}

/* How many of each kind are on: 0 is told too, so that an alarm that never was can be told from one that nobody watches. */
static void add_alarms(struct samples *s, const struct control *c)
{
	for (enum alarm a = 0; a < ALARMS; a++) {
		char name[BOARD_NAME];
		uint64_t on = 0;

		for (size_t i = 0; i < c->board.alarm_count; i++)
			on += c->board.alarms[i].alarm == a;
		snprintf(name, sizeof(name), "alarm_%s", alarm_text(a));
		add(s, name, NULL, "", on, true);
	}
}

static void add_store(struct samples *s, const struct control *c)
{
	const struct control_table *t = &c->tables.now;
	nsec_t left = t->there ? t->lease.until - nsec_now() : 0;
	uint64_t calls = 0;

	for (size_t i = 0; i < c->board.active_count; i++)
		calls += c->board.active[i].calls;
	add(s, "store_right", NULL, "", c->store == STORE_RIGHT, true);
	add(s, "lease_left_seconds", NULL, "", left > 0 ? (uint64_t)(left / NSEC_PER_SEC) : 0, true);
	add(s, "warrants_with_calls", NULL, "", c->board.active_count, true);
	add(s, "calls_under_warrant", NULL, "", calls, true);
}

static int compare_role(const struct board_role *a, const struct board_role *b)
{
	if (a == b)
		return 0;
	if (a == NULL || b == NULL)
		return a == NULL ? -1 : 1;
	return a->role != b->role ? (int)a->role - (int)b->role : a->index < b->index ? -1 : 1;
}

static int compare_labels(const struct sample *a, const struct sample *b)
{
	int by = compare_role(a->role, b->role);

	return by != 0 ? by : strcmp(a->interface, b->interface);
}

static int compare(const void *x, const void *y)
{
	const struct sample *a = x, *b = y;
	int by = strcmp(a->family, b->family);

	return by != 0 ? by : compare_labels(a, b);
}

/* The same role and interface once: what differs otherwise is added up. */
static size_t merge(struct sample *all, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct sample *last = kept > 0 ? &all[kept - 1] : NULL;

		if (last != NULL && compare(last, &all[i]) == 0)
			last->value += all[i].value;
		else
			all[kept++] = all[i];
	}
	return kept;
}

/* The value of a label: '\', '"' and line ends are escaped. */
static void put_value(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			buf_printf(out, "\\%c", *text);
		else if (*text == '\n')
			buf_text(out, "\\n");
		else
			buf_printf(out, "%c", *text);
	}
}

static void put_sample(struct buf *out, const struct sample *s)
{
	buf_text(out, s->family);
	if (s->role != NULL)
		buf_printf(out, "{role=\"%s\",index=\"%" PRIu32 "\"", role_text(s->role->role), s->role->index);
	if (s->role != NULL && s->interface[0] != '\0') {
		buf_text(out, ",interface=\"");
		put_value(out, s->interface);
		buf_text(out, "\"");
	}
	buf_printf(out, "%s %" PRIu64 "\n", s->role != NULL ? "}" : "", s->value);
}

static void put_head(struct buf *out, const struct sample *s)
{
	const char *help = control_help(s->family + strlen(PREFIX));

	buf_printf(out, "# HELP %s %c%s.\n# TYPE %s %s\n", s->family, toupper((unsigned char)help[0]), help + 1,
		s->family, s->gauge ? "gauge" : "counter");
}

static void put_all(struct buf *out, const struct sample *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(all[i].family, all[i - 1].family) != 0)
			put_head(out, &all[i]);
		put_sample(out, &all[i]);
	}
}

bool control_metrics(void *arg, struct buf *out)
{
	const struct control *c = arg;
	struct samples s = { 0 };

	add_roles(&s, c);
	add_alarms(&s, c);
	add_store(&s, c);
	if (!s.failed) {
		qsort(s.all, s.count, sizeof(*s.all), compare);
		put_all(out, s.all, merge(s.all, s.count));
	}
	free(s.all);
	return !s.failed && !out->failed;
}
