/* cases: begun, timed, ended. What there is besides is in the files that cases_inside.h lists. */
#include "cases_inside.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "otway/base/file.h"
#include "otway/base/secret.h"

#include "confine.h"

#define WAIT_OCTETS ((size_t)64 << 20)
#define GROWN_MOST  ((size_t)16 << 20)
#define GROW_EACH   (NSEC_PER_SEC / 2)
#define SAVE_EACH   (30 * NSEC_PER_SEC)
enum { SAVE_OCTETS = 4 << 20, SAVES = 16 };

/* What of the one before this must be known. */
struct alive {
	uint32_t run, check;
	nsec_t at;
};

static bool read_alive(struct cases *c, struct alive *out)
{
	FILE *f = stage_read(c->stage, ".journal/state", NULL);
	bool ok = f != NULL && fread(out, sizeof(*out), 1, f) == 1 && out->check == ~out->run;

	if (f != NULL)
		fclose(f);
	return ok;
}

static void write_alive(struct cases *c)
{
	struct alive a = { c->options.run, ~c->options.run, c->now != NSEC_NONE ? c->now : c->down };
	FILE *f;

	if (c->now != NSEC_NONE && c->alive_at != NSEC_NONE && c->now - c->alive_at < NSEC_PER_SEC)
		return;
	c->alive_at = c->now;
	stage_remove(c->stage, ".journal/.state");
	f = stage_create(c->stage, ".journal/.state", NULL);
	if (f == NULL)
		return;
	fwrite(&a, sizeof(a), 1, f);
	if (stage_close(f, ".journal/state", NULL) == 0)
		stage_rename(c->stage, ".journal/.state", ".journal/state", NULL);
}

/* What was put aside by the process before. */
static int take_up(struct cases *c, struct err *err)
{
	struct gap lost = { .reason = GAP_ROLE, .where = "delivery" };
	struct alive before;
	bool any = read_alive(c, &before), same = any && before.run == c->options.run;

	if (any && !same)
		c->down = before.at;
	if (!any || !same)
		write_alive(c);
	if (held_store_new(&c->held, c->stage, c->options.held_octets, same, &lost, err) < 0 ||
		cases_resume(c, err) < 0)
		return -1;
	return lost.packets > 0 ? cases_gap(c, &lost, err) : 0;
}

static int begin(struct cases *c, struct err *err)
{
	if (file_make_dirs(c->dir, err) < 0 || stage_at(&c->stage, c->dir, err) < 0 ||
		stage_dir(c->stage, ".journal", err) < 0)
		return -1;
	c->journal = appends_new(c->stage, c->options.wait_octets);
	c->grown = appends_new(c->stage, GROWN_MOST);
	c->warrants = table_new();
	c->calls = table_new();
	if (c->journal == NULL || c->grown == NULL || c->warrants == NULL || c->calls == NULL)
		return err_set(err, "out of memory");
	return syncer_new(&c->syncer, c->stage, err) < 0 ? -1 : take_up(c, err);
}

int cases_new(struct cases **out, const struct cases_options *o, struct err *err)
{
	struct cases *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_set(err, "out of memory");
	c->options = *o;
	c->options.wait_octets = o->wait_octets > 0 ? o->wait_octets : WAIT_OCTETS;
	c->now = c->grown_at = c->synced = c->alive_at = c->down = NSEC_NONE;
	c->next_period = 1;
	c->dir = strdup(o->dir);
	c->options.dir = c->dir;
	if (c->dir == NULL || begin(c, err) < 0) {
		if (c->dir == NULL)
			err_set(err, "out of memory");
		cases_free(c);
		return err_in(err, "the case folders");
	}
	*out = c;
	return 0;
}

void cases_set(struct cases *c, const struct cases_options *o)
{
	struct cases_options was = c->options;

	c->options = *o;
	c->options.dir = was.dir;
	c->options.run = was.run;
	c->options.wait_octets = was.wait_octets;
	held_store_set(c->held, o->held_octets);
}

bool cases_decoder(char *out, size_t size)
{
	char path[PATH_MAX];

	return confined_program("otway-decode", path) && (size_t)snprintf(out, size, "%s", path) < size;
}

void cases_free(struct cases *c)
{
	struct case_warrant *w;
	size_t step = 0;

	if (c == NULL)
		return;
	jobs_end(c);
	syncer_free(c->syncer);
	while (c->periods != NULL)
		period_free(c->periods);
	while (c->warrants != NULL && (w = table_next(c->warrants, &step, NULL)) != NULL) {
		warrant_clear(&w->warrant);
		free(w);
	}
	table_free(c->warrants);
	table_free(c->calls);
	held_store_free(c->held);
	appends_free(c->journal);
	appends_free(c->grown);
	stage_free(c->stage);
	free(c->waiting.all);
	free(c->notes.all);
	msg_room_clear(&c->room);
	buf_clear(&c->body);
	buf_clear(&c->entry);
	buf_clear(&c->clean);
	buf_clear(&c->carried);
	free(c->dir);
	secret_free(c, sizeof(*c));
}

int cases_held(struct cases *c, uint32_t front, uint32_t call, const struct datagram *d, struct err *err)
{
	struct gap *g = &c->held_lost;

	if (held_store_put(c->held, front, call, d, err) == 0)
		return 0;
	if (g->packets == 0)
		*g = (struct gap){
			.from = d->at, .until = d->at, .reason = c->full ? GAP_DISK : GAP_QUEUE, .where = "delivery"
		};
	g->from = d->at < g->from ? d->at : g->from;
	g->until = d->at > g->until ? d->at : g->until;
	g->packets++;
	return -1;
}

bool cases_held_back(struct cases *c, uint32_t front, uint32_t call, uint32_t *of, struct datagram *out)
{
	return held_store_take(c->held, front, call, of, out);
}

/* What came since the last time came now. */
static void touch(struct cases *c)
{
	for (struct period *p = c->periods; p != NULL; p = p->next)
		for (uint32_t i = 0; i < p->call_count; i++) {
			struct case_call *k = p->calls[i];

			if (k->fresh)
				k->touched = c->now;
			k->fresh = false;
		}
}

/* What was only counted. */
static void write_forged(struct cases *c)
{
	for (struct period *p = c->periods; c->forged && p != NULL; p = p->next)
		for (uint32_t i = 0; i < p->call_count; i++)
			case_call_forged(p->calls[i]);
	c->forged = false;
}

int cases_write(struct cases *c, struct err *err)
{
	int rc;

	write_forged(c);
	rc = appends_flush(c->journal, err);

	if (held_store_flush(c->held, rc == 0 ? err : NULL) < 0)
		rc = -1;
	c->full = rc < 0;
	if (rc == 0) {
		cases_found_room(c);
		if (c->held_lost.packets > 0 && cases_gap(c, &c->held_lost, NULL) == 0)
			c->held_lost.packets = 0;
		rc = appends_flush(c->journal, err);
	}
	return rc;
}

/* What grows, and the disk itself. */
static void settle_down(struct cases *c)
{
	if (c->grown_at == NSEC_NONE || c->now - c->grown_at >= GROW_EACH) {
		c->grown_at = c->now;
		appends_flush(c->grown, NULL);
	}
	if (c->synced == NSEC_NONE || c->now - c->synced >= c->options.sync_every) {
		c->synced = c->now;
		syncer_ask(c->syncer);
	}
}

static bool save(struct case_call *k)
{
	struct cases *c = k->period->cases;
	struct call_state s = { 0 };
	char path[CASES_PATH];

	for (int i = 0; i < GROWN_FILES; i++)
		if (k->growth.files[i] != NULL && append_flush(k->growth.files[i], NULL) < 0)
			return false;
	if (append_flush(k->say, NULL) < 0 || append_flush(k->media, NULL) < 0)
		return false;
	s.say = append_size(k->say);
	s.media = append_size(k->media);
	growth_sizes(&k->growth, s.grown);
	s.stopped = k->growth.stopped;
	call_files(k, "state", path);
	if (call_state_save(c->stage, path, k->holding, k->call, &s, NULL) < 0)
		return false;
	k->saved = c->now;
	k->saved_octets = s.say + s.media;
	return true;
}

/* So that who follows need not read a long call from its beginning. */
static void save_states(struct cases *c)
{
	unsigned saves = 0;

	for (struct period *p = c->periods; p != NULL; p = p->next)
		for (uint32_t i = 0; i < p->call_count && saves < SAVES; i++) {
			struct case_call *k = p->calls[i];
			uint64_t more = case_call_octets(k) - k->saved_octets;

			if (k->finished != NSEC_NONE || k->working || more == 0)
				continue;
			if (k->saved == NSEC_NONE)
				k->saved = c->now;
			if (more >= SAVE_OCTETS || c->now - k->saved >= SAVE_EACH)
				saves += save(k);
		}
}

int cases_time(struct cases *c, nsec_t now, struct err *err)
{
	int rc;

	c->now = now;
	if (c->down != NSEC_NONE) {
		if (now > c->down)
			cases_gap(c, &(struct gap){ c->down, now, GAP_ROLE, "otway", GAP_UNKNOWN }, NULL);
		c->down = NSEC_NONE;
	}
	touch(c);
	rc = cases_write(c, err);
	settle_down(c);
	if (!c->full)
		save_states(c);
	periods_due(c);
	if (c->ending)
		for (struct period *p = c->periods; p != NULL; p = p->next)
			period_rotate(p, now);
	views_due(c);
	jobs_due(c);
	write_alive(c);
	return rc;
}

bool cases_ended(struct cases *c)
{
	c->ending = true;
	return c->periods == NULL;
}

int cases_finish(struct cases *c, nsec_t now, nsec_t span, struct err *err)
{
	nsec_t waited = 0;

	cases_ended(c);
	while (cases_time(c, now + waited, err) == 0 && c->periods != NULL && waited < span) {
		jobs_wait(c, 20);
		waited += 20 * (NSEC_PER_SEC / 1000);
	}
	if (c->periods != NULL)
		return err_set(err, "not everything is finished; it goes on when otway is started again");
	return 0;
}
