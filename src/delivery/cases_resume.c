/* cases_resume: what the journals tell, taken in again as it came. */
#include "cases_inside.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "otway/base/text.h"

#include "captures.h"

void call_files(struct case_call *k, const char *kind, char out[CASES_PATH])
{
	char name[48];

	snprintf(name, sizeof(name), "%" PRIu32 ".%s", k->id, kind);
	period_path(k->period, name, out);
}

static void forged(struct case_call *k, struct bytes body)
{
	struct held_counts *n = &k->holding->counts;
	uint32_t sort;
	uint64_t count;

	if (body.len != 12)
		return;
	sort = be32(body.at);
	count = be64(body.at + 4);
	n->forged += count;
	*(sort == MEDIA_RTP ? &n->rtp : sort == MEDIA_RTCP ? &n->rtcp : &n->not_rtp) += count;
}

static int replay_one(const struct replay *p, uint64_t at, enum journal_type type, struct bytes body, struct err *err)
{
	struct period *period = p->k->period;
	char folder[CALL_NAME];
	struct datagram d;
	struct record r;

	if (type == JOURNAL_FORGED && at >= p->from)
		forged(p->k, body);
	if (type != JOURNAL_RECORD || !msg_get_record(body, &r, &d, &period->cases->room))
		return 0;
	if (at < p->from && r.kind != RECORD_CALL)
		return 0;
	if (case_call_take(p->k, &r, err) < 0)
		return -1;
	if (p->grow && at >= p->from && r.kind == RECORD_SIP)
		grow_message(period, &p->k->growth, captures_name(p->k->call, folder), p->k->holding, &r);
	if (p->grow && at >= p->from && r.kind == RECORD_MEDIA)
		grow_media(p->k, &r);
	return 0;
}

int call_replay(const struct replay *p, const char *kind, uint64_t begin, uint64_t *end, struct err *err)
{
	char path[CASES_PATH];
	struct journal *j;
	enum journal_type type;
	struct bytes body;
	int got;

	call_files(p->k, kind, path);
	if (journal_open(&j, p->k->period->cases->stage, path, begin, err) < 0)
		return -1;
	for (*end = begin; (got = journal_next(j, &type, &body, err)) > 0; *end = journal_offset(j))
		if (replay_one(p, *end, type, body, err) < 0) {
			got = -1;
			break;
		}
	journal_free(j);
	return got;
}

/* A holding anew, with its call. */
bool call_renew(struct case_call *k, struct spools *spools)
{
	holding_free(k->holding);
	k->holding = holding_new(&k->period->warrant, spools);
	k->call = k->holding != NULL ? holding_call(k->holding, 1) : NULL;
	if (k->call != NULL) {
		k->call->id = k->id;
		k->call->growing = true;
	}
	return k->call != NULL;
}

int call_reload(struct case_call *k, bool grow, struct err *err)
{
	struct cases *c = k->period->cases;
	struct call_state s = { 0 };
	char path[CASES_PATH], folder[CALL_NAME];
	uint64_t say, media;
	int got;

	call_files(k, "state", path);
	got = call_renew(k, NULL) ? call_state_load(c->stage, path, k->holding, &s, err)
				  : err_set(err, "out of memory");
	if (got == 0 && !call_renew(k, NULL))
		got = err_set(err, "out of memory");
	if (got < 0)
		return -1;
	k->growth.stopped = k->growth.stopped || s.final || s.stopped;
	k->state = s;
	grow = grow && !k->growth.stopped;
	if (grow && growth_resume(k->period, &k->growth, captures_name(k->call, folder), s.grown, err) < 0)
		return -1;
	if (call_replay(&(struct replay){ k, s.say, grow }, "say", 0, &say, err) < 0 ||
		call_replay(&(struct replay){ k, s.media, grow }, "media", s.media, &media, err) < 0)
		return -1;
	if (grow)
		growth_resumed(k->period, &k->growth, captures_name(k->call, folder));
	append_good(k->say, say);
	append_good(k->media, media);
	k->saved_octets = s.say + s.media;
	if (s.final) {
		k->finished = c->now != NSEC_NONE ? c->now : k->period->from;
		k->final_octets = s.say + s.media;
		k->call->growing = say + media != k->final_octets;
	}
	return 0;
}

static void set_call(struct period *p, struct bytes body)
{
	struct case_call *k;

	if (body.len != 12 || be32(body.at) != p->call_count + 1)
		return;
	k = case_call_new(p, be32(body.at + 4), be32(body.at + 8), be32(body.at), NULL);
	if (k != NULL)
		k->fresh = true;
}

static void set_name(struct period *p, struct bytes body)
{
	p->from = (nsec_t)be64(body.at);
	text_copy(bytes_part(body, 8, body.len), p->name, sizeof(p->name));
}

static bool set_warrant(struct period *p, struct bytes body)
{
	struct warrant w;

	if (!msg_get_warrant(body, &w))
		return false;
	warrant_clear(&p->warrant);
	p->warrant = w;
	return true;
}

/* Its beginning, its calls and gaps. False: nothing of it ever began. */
static int read_period(struct period *p, struct err *err)
{
	struct cases *c = p->cases;
	char path[CASES_PATH];
	struct journal *j = NULL;
	enum journal_type type;
	struct bytes body;
	struct gap g;
	bool whole = false;
	int got = journal_open(&j, c->stage, period_path(p, "period", path), 0, err);

	while (got >= 0 && (got = journal_next(j, &type, &body, err)) > 0) {
		if (type == JOURNAL_PERIOD && body.len > 8)
			set_name(p, body);
		else if (type == JOURNAL_WARRANT)
			whole = set_warrant(p, body) || whole;
		else if (type == JOURNAL_CALL)
			set_call(p, body);
		else if (type == JOURNAL_GAP && msg_get_gap(body, &g))
			gaps_note(&p->gaps, &g);
		else if (type == JOURNAL_ROTATED && body.len == 8)
			p->until = (nsec_t)be64(body.at);
	}
	if (got == 0)
		append_good(p->say, journal_offset(j));
	journal_free(j);
	return got < 0 ? -1 : whole && p->name[0] != '\0';
}

static int read_events(struct period *p, struct err *err)
{
	struct cases *c = p->cases;
	char path[CASES_PATH];
	struct journal *j;
	enum journal_type type;
	struct bytes body;
	int got = growth_resume(p, &p->growth, "other", (const uint64_t[GROWN_FILES]){ 0 }, err);

	if (got < 0 || journal_open(&j, c->stage, period_path(p, "events", path), 0, err) < 0)
		return -1;
	while ((got = journal_next(j, &type, &body, err)) > 0) {
		uint8_t hash[SEEN_HASH];
		struct datagram d;
		struct record r;

		if (type != JOURNAL_RECORD || !msg_get_record(body, &r, &d, &c->room))
			continue;
		if (r.sip != NULL)
			grow_message(p, &p->growth, "other", p->events, &r);
		if (period_take_event(p, &r, err) < 0 ||
			(r.sip != NULL && (!seen_hash(&r, hash) || !seen_note(p->seen, hash)))) {
			got = -1;
			break;
		}
	}
	growth_resumed(p, &p->growth, "other");
	append_good(p->event_say, journal_offset(j));
	journal_free(j);
	return got;
}

static int resume_period(struct cases *c, uint32_t number, struct err *err)
{
	struct period *p = period_new(c, number);
	struct case_warrant *w;
	int got = p == NULL ? err_set(err, "out of memory") : read_period(p, err);

	if (got > 0 && read_events(p, err) < 0)
		got = -1;
	for (uint32_t i = 0; got > 0 && i < p->call_count; i++)
		if (call_reload(p->calls[i], true, err) < 0)
			got = -1;
	if (got == 0) /* it is closed, and what is left of its journal goes; or it never came to be */
		journal_remove(p);
	if (got <= 0) {
		period_free(p);
		return got;
	}
	w = case_warrant_of(c, p->warrant.number, true);
	if (w == NULL)
		return err_set(err, "out of memory");
	if (w->warrant.liid[0] == '\0')
		period_copy_warrant(&w->warrant, &p->warrant);
	if (p->until != NSEC_NONE) {
		w->before = p;
	} else {
		if (w->current != NULL)
			period_rotate(w->current, p->from);
		w->current = p;
	}
	p->dirty = true;
	return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int cases_resume(struct cases *c, struct err *err)
{
	struct dirent **all = NULL;
	int count = scandirat(stage_fd(c->stage), ".journal", &all, NULL, by_name), rc = 0;

	for (int i = 0; i < count; i++) {
		uint64_t number;

		if (rc == 0 && strlen(all[i]->d_name) == 8 &&
			text_number(bytes_of(all[i]->d_name), UINT32_MAX - 1, &number)) {
			rc = resume_period(c, (uint32_t)number, err);
			if (number >= c->next_period)
				c->next_period = (uint32_t)number + 1;
		}
		free(all[i]);
	}
	free(all);
	return rc;
}
