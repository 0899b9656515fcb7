/* cases_period: a warrant's folder of one period, from its first record or gap until it is rotated. */
#include "cases_inside.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "otway/base/secret.h"

#define CLOSE_AFTER (60 * NSEC_PER_SEC) /* behind the warrant's end: what was held back has come */

char *period_path(const struct period *p, const char *file, char out[CASES_PATH])
{
	snprintf(out, CASES_PATH, ".journal/%08" PRIu32 "/%s", p->number, file);
	return out;
}

struct case_warrant *case_warrant_of(struct cases *c, uint32_t number, bool make)
{
	struct bytes key = { (uint8_t *)&number, sizeof(number) };
	struct case_warrant *w = table_get(c->warrants, key);

	if (w != NULL || !make)
		return w;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return NULL;
	w->number = number;
	if (!table_put(c->warrants, key, w)) {
		free(w);
		return NULL;
	}
	return w;
}

struct period *period_new(struct cases *c, uint32_t number)
{
	struct period *p = calloc(1, sizeof(*p)), **last = &c->periods;
	char path[CASES_PATH];

	if (p == NULL)
		return NULL;
	*p = (struct period){
		.cases = c, .number = number, .from = NSEC_NONE, .until = NSEC_NONE, .retry_at = NSEC_NONE
	};
	p->say = append_new(c->journal, period_path(p, "period", path), 0);
	p->event_say = append_new(c->journal, period_path(p, "events", path), 0);
	p->events = holding_new(&p->warrant, NULL);
	p->seen = table_new();
	if (p->say == NULL || p->event_say == NULL || p->events == NULL || p->seen == NULL) {
		period_free(p);
		return NULL;
	}
	while (*last != NULL)
		last = &(*last)->next;
	*last = p;
	if (number >= c->next_period)
		c->next_period = number + 1;
	return p;
}

/* Nobody finds it any more. */
static void unlist(struct period *p)
{
	struct case_warrant *w;
	size_t step = 0;

	for (struct period **at = &p->cases->periods; *at != NULL; at = &(*at)->next)
		if (*at == p) {
			*at = p->next;
			break;
		}
	while ((w = table_next(p->cases->warrants, &step, NULL)) != NULL) {
		w->current = w->current == p ? NULL : w->current;
		w->before = w->before == p ? NULL : w->before;
	}
}

void period_free(struct period *p)
{
	if (p == NULL)
		return;
	unlist(p);
	for (uint32_t i = 0; i < p->call_count; i++)
		case_call_free(p->calls[i]);
	free(p->calls);
	growth_free(&p->growth);
	append_free(p->say);
	append_free(p->event_say);
	holding_free(p->events);
	table_free(p->seen);
	free(p->gaps.all);
	warrant_clear(&p->warrant);
	secret_free(p, sizeof(*p));
}

/* Behind all others, whose turn is before it. */
void period_last(struct period *p)
{
	struct period **at = &p->cases->periods;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	while (*at != NULL)
		at = &(*at)->next;
	*at = p;
	p->next = NULL;
}

bool period_note(struct period *p, enum journal_type type, struct bytes body)
{
	struct cases *c = p->cases;

	buf_reset(&c->entry);
	return journal_entry(&c->entry, type, body) && append_add(p->say, buf_bytes(&c->entry));
}

bool period_copy_warrant(struct warrant *to, const struct warrant *from)
{
	struct warrant_set one = { 0 };

	if (!warrant_add(&one, from))
		return false;
	warrant_clear(to);
	*to = one.all[0];
	free(one.all);
	return true;
}

bool period_warrant(struct period *p, const struct warrant *w)
{
	struct cases *c = p->cases;

	if (!period_copy_warrant(&p->warrant, w))
		return false;
	p->dirty = true;
	buf_reset(&c->body);
	return msg_put_warrant(&c->body, &p->warrant, true, true, true) &&
	       period_note(p, JOURNAL_WARRANT, buf_bytes(&c->body));
}

static bool taken(const struct cases *c, const char *name)
{
	struct stat st;

	for (const struct period *p = c->periods; p != NULL; p = p->next)
		if (strcmp(p->name, name) == 0)
			return true;
	return fstatat(stage_fd(c->stage), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* "LIID/2026-11-22T031500Z": when it began; "-2" behind it when there is one of that second. */
static void choose_name(const struct period *p, const char *liid, nsec_t from, char out[HOLDING_NAME])
{
	char folder[3 * LIID_MAX + 1], text[NSEC_TEXT];

	folder_name(liid, folder);
	nsec_text(from, text);
	snprintf(out, HOLDING_NAME, "%s/%.10s%.3s%.2s%.2sZ", folder, text, text + 10, text + 14, text + 17);
	for (unsigned n = 2; taken(p->cases, out) && n < 10000; n++)
		snprintf(out, HOLDING_NAME, "%s/%.10s%.3s%.2s%.2sZ-%u", folder, text, text + 10, text + 14, text + 17,
			n);
}

struct period *period_begin(struct cases *c, struct case_warrant *w, nsec_t from, struct err *err)
{
	struct period *p = period_new(c, c->next_period);
	char name[HOLDING_NAME];
	bool ok = p != NULL;

	if (ok) {
		choose_name(p, w->warrant.liid, from, name);
		memcpy(p->name, name, sizeof(name));
		p->from = from;
		buf_reset(&c->body);
		ok = msg_put_time(&c->body, from) && buf_text(&c->body, name) &&
		     period_note(p, JOURNAL_PERIOD, buf_bytes(&c->body)) && period_warrant(p, &w->warrant);
	}
	if (!ok) {
		period_free(p);
		err_set(err, "there is no room for another case folder");
		return NULL;
	}
	append_flush(p->say, NULL); /* what is of it comes behind it, whenever this process dies */
	cases_tell(c, &(struct cases_note){ true, w->number, 0, from });
	w->current = p;
	return p;
}

struct period *period_of(struct cases *c, uint32_t warrant, nsec_t at, struct err *err)
{
	struct case_warrant *w = case_warrant_of(c, warrant, false);

	if (w != NULL && w->current != NULL)
		return w->current;
	if (w == NULL || !w->in_table) {
		c->counts.refused++;
		err_code(err, EXIT_REFUSED, "a record of a warrant that is not in the table");
		return NULL;
	}
	return period_begin(c, w, at, err);
}

uint64_t period_octets(const struct period *p)
{
	uint64_t sum = append_size(p->say) + append_size(p->event_say);

	for (uint32_t i = 0; i < p->call_count; i++)
		sum += case_call_octets(p->calls[i]);
	return sum;
}

void period_rotate(struct period *p, nsec_t now)
{
	struct cases *c = p->cases;
	struct case_warrant *w = case_warrant_of(c, p->warrant.number, false);

	if (p->until != NSEC_NONE)
		return;
	p->until = now;
	p->dirty = true;
	if (w != NULL && w->current == p) {
		w->current = NULL;
		w->before = p;
	}
	buf_reset(&c->body);
	if (msg_put_time(&c->body, now))
		period_note(p, JOURNAL_ROTATED, buf_bytes(&c->body)); /* else the next process rotates it */
}

void periods_due(struct cases *c)
{
	for (struct period *p = c->periods; p != NULL; p = p->next) {
		const struct cases_options *o = &c->options;
		nsec_t end = p->warrant.until < NSEC_EVER - CLOSE_AFTER - o->settle
				     ? p->warrant.until + CLOSE_AFTER + o->settle
				     : NSEC_EVER;

		if (p->until != NSEC_NONE)
			continue;
		if ((o->rotate_octets > 0 && period_octets(p) >= o->rotate_octets) ||
			(o->rotate_time > 0 && c->now - p->from >= o->rotate_time) || c->now >= end)
			period_rotate(p, c->now);
	}
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool same_warrant(const struct warrant *a, const struct warrant *b)
{
	bool same = strcmp(a->liid, b->liid) == 0 && same_text(a->agency, b->agency) &&
		    same_text(a->authority, b->authority) && a->from == b->from && a->until == b->until &&
		    a->scope == b->scope && a->diverted == b->diverted && a->target_count == b->target_count &&
		    a->revoked == b->revoked;

	for (size_t i = 0; same && i < a->target_count; i++)
		same = strcmp(a->targets[i].uri, b->targets[i].uri) == 0;
	return same;
}

int cases_warrants(struct cases *c, const struct warrant_set *set, struct err *err)
{
	struct case_warrant *w;
	size_t step = 0;
	bool ok = true;

	while ((w = table_next(c->warrants, &step, NULL)) != NULL)
		w->in_table = false;
	for (size_t i = 0; ok && i < set->count; i++) {
		w = case_warrant_of(c, set->all[i].number, true);
		ok = w != NULL &&
		     (same_warrant(&w->warrant, &set->all[i]) || period_copy_warrant(&w->warrant, &set->all[i]));
		if (ok)
			w->in_table = true;
	}
	for (struct period *p = c->periods; ok && p != NULL; p = p->next) {
		w = case_warrant_of(c, p->warrant.number, false);
		if (w == NULL || !w->in_table || p->closing || same_warrant(&w->warrant, &p->warrant))
			continue;
		if (strcmp(w->warrant.liid, p->warrant.liid) != 0)
			period_rotate(p, c->now != NSEC_NONE ? c->now : p->from); /* of another store */
		else
			ok = period_warrant(p, &w->warrant);
	}
	c->table = c->table || ok;
	for (uint32_t i = 0; ok && i < c->waiting.count; i++)
		cases_spread(c, &c->waiting.all[i], NULL);
	c->waiting.count = ok ? 0 : c->waiting.count;
	return ok ? 0 : err_set(err, "out of memory");
}
