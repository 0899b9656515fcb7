/* cases_take: a record's way: to its call, passed over when it came already, into the journal, then to what is known and what grows. */
#include "cases_inside.h"

#include <stdlib.h>

#include "captures.h"

/* A call, as it is found. No padding: it is hashed as it lies in memory. */
struct call_key {
	uint32_t run, warrant, number;
};

struct case_call *case_call_new(struct period *p, uint32_t run, uint32_t number, uint32_t id, struct err *err)
{
	struct case_call **grew = holding_grown(p->calls, p->call_count, &p->call_cap, sizeof(*grew)), *k = NULL;
	struct call_key key = { run, p->warrant.number, number };
	char path[CASES_PATH];

	if (grew != NULL) {
		p->calls = grew;
		k = calloc(1, sizeof(*k));
	}
	if (k == NULL) {
		err_set(err, "out of memory");
		return NULL;
	}
	*k = (struct case_call){ .period = p, .id = id, .run = run, .number = number, .fresh = true };
	k->touched = k->finished = k->saved = NSEC_NONE;
	k->holding = holding_new(&p->warrant, NULL);
	k->call = k->holding != NULL ? holding_call(k->holding, 1) : NULL;
	call_files(k, "say", path);
	k->say = append_new(p->cases->journal, path, 0);
	call_files(k, "media", path);
	k->media = append_new(p->cases->journal, path, 0);
	if (k->call == NULL || k->say == NULL || k->media == NULL ||
		!table_put(p->cases->calls, (struct bytes){ (uint8_t *)&key, sizeof(key) }, k)) {
		case_call_free(k);
		err_set(err, "out of memory");
		return NULL;
	}
	k->call->id = id;
	k->call->growing = true;
	p->calls[p->call_count++] = k;
	return k;
}

void case_call_free(struct case_call *k)
{
	struct call_key key;

	if (k == NULL)
		return;
	key = (struct call_key){ k->run, k->period->warrant.number, k->number };
	if (table_get(k->period->cases->calls, (struct bytes){ (uint8_t *)&key, sizeof(key) }) == k)
		table_take(k->period->cases->calls, (struct bytes){ (uint8_t *)&key, sizeof(key) });
	append_free(k->say);
	append_free(k->media);
	growth_free(&k->growth);
	table_free(k->seen);
	holding_free(k->holding);
	free(k);
}

bool case_call_over(const struct case_call *k)
{
	const struct held_facts *f = &k->call->facts;

	return k->call->facts_known && (f->ended != NSEC_NONE || f->outcome == CALL_CANCELLED ||
					       f->outcome == CALL_REFUSED || f->outcome == CALL_UNANSWERED);
}

uint64_t case_call_octets(const struct case_call *k)
{
	return append_size(k->say) + append_size(k->media);
}

int case_call_take(struct case_call *k, const struct record *r, struct err *err)
{
	struct record own = *r;

	own.call = own.media.call = 1;
	return holding_take(k->holding, &own, err);
}

static bool is_forged(const struct record *r)
{
	return r->kind == RECORD_MEDIA && r->media.fate == MEDIA_FORGED;
}

/* A record as an entry. What is only counted goes without its octets. */
static bool entry_of(struct cases *c, const struct record *r)
{
	struct record own = *r;

	if (r->kind == RECORD_MEDIA && r->media.fate == MEDIA_TWICE)
		own.media.packet = own.media.payload = own.media.clear = own.media.media = (struct bytes){ NULL, 0 };
	buf_reset(&c->body);
	buf_reset(&c->entry);
	return msg_put_record(&c->body, &own) && journal_entry(&c->entry, JOURNAL_RECORD, buf_bytes(&c->body));
}

/* Into a journal, as long as there is room: what is said of calls has the last quarter of it for itself. */
static bool written(struct cases *c, struct append *to, const struct record *r)
{
	size_t most = c->options.wait_octets / 4 * 3;

	if (appends_gathered(c->journal) > most && !c->full)
		c->full = appends_flush(c->journal, NULL) < 0;
	if (r->kind == RECORD_MEDIA && appends_gathered(c->journal) > most)
		return false;
	return entry_of(c, r) && append_add(to, buf_bytes(&c->entry));
}

/* The call of a record; begun if need be. NULL: err. */
static struct case_call *call_for(struct cases *c, const struct record *r, struct err *err)
{
	struct call_key key = { c->options.run, r->warrant, r->call };
	struct case_call *k = table_get(c->calls, (struct bytes){ (uint8_t *)&key, sizeof(key) });
	struct period *p;
	uint32_t id;

	if (k != NULL)
		return k;
	p = period_of(c, r->warrant, r->kind == RECORD_MEDIA ? r->media.at : r->at, err);
	if (p == NULL)
		return NULL;
	id = p->call_count + 1;
	buf_reset(&c->body);
	if (!msg_put_call(&c->body, id) || !msg_put_call(&c->body, key.run) || !msg_put_call(&c->body, r->call) ||
		!period_note(p, JOURNAL_CALL, buf_bytes(&c->body))) {
		cases_lost(p, r->at);
		err_set(err, "there is no room for another call");
		return NULL;
	}
	append_flush(
		p->say, NULL); /* before anything of the call: a process that dies leaves nothing without a beginning */
	k = case_call_new(p, key.run, r->call, id, err);
	if (k != NULL)
		k->seen = table_new(); /* NULL: it is read back, of which there is nothing */
	return k;
}

static int full(struct cases *c, struct period *p, const struct record *r, struct err *err)
{
	c->full = true;
	cases_lost(p, r->kind == RECORD_MEDIA ? r->media.at : r->at);
	return err_set(err, "there is no room for a record");
}

/* -1: err; 1: it came already. */
static int known(struct cases *c, struct case_call *k, const struct record *r, uint8_t hash[SEEN_HASH], struct err *err)
{
	char path[CASES_PATH];

	if (r->sip == NULL)
		return err_set(err, "a record of signalling without its message");
	if (!seen_hash(r, hash))
		return err_set(err, "out of memory");
	if (k->seen == NULL) {
		if (append_flush(k->say, err) < 0)
			return 0; /* rather twice than not at all */
		call_files(k, "say", path);
		if (seen_read(c, path, &k->seen, err) < 0)
			return -1;
	}
	return seen_before(k->seen, hash);
}

static int take_in_call(struct cases *c, struct case_call *k, const struct record *r, struct err *err)
{
	char folder[CALL_NAME];
	uint8_t hash[SEEN_HASH];
	int got = r->kind == RECORD_SIP ? known(c, k, r, hash, err) : 0;

	if (got != 0) {
		c->counts.again += got > 0;
		return got < 0 ? -1 : 0;
	}
	if (!written(c, r->kind == RECORD_MEDIA ? k->media : k->say, r))
		return full(c, k->period, r, err);
	if (r->kind == RECORD_SIP && k->seen != NULL && !seen_note(k->seen, hash))
		return err_set(err, "out of memory");
	if (case_call_take(k, r, err) < 0)
		return -1;
	k->call->growing = true;
	k->fresh = true;
	k->period->dirty = true;
	if (r->kind == RECORD_SIP)
		grow_message(k->period, &k->growth, captures_name(k->call, folder), k->holding, r);
	else if (r->kind == RECORD_MEDIA)
		grow_media(k, r);
	return 0;
}

void case_call_forged(struct case_call *k)
{
	struct cases *c = k->period->cases;

	for (uint32_t sort = 0; sort < 3; sort++) {
		if (k->forged[sort] == 0)
			continue;
		buf_reset(&c->body);
		buf_reset(&c->entry);
		if (msg_put_call(&c->body, sort) && msg_put_time(&c->body, (nsec_t)k->forged[sort]) &&
			journal_entry(&c->entry, JOURNAL_FORGED, buf_bytes(&c->body)) &&
			append_add(k->media, buf_bytes(&c->entry)))
			k->forged[sort] = 0;
	}
}

int period_take_event(struct period *p, const struct record *r, struct err *err)
{
	p->dirty = true;
	return holding_take(p->events, r, err);
}

static int take_event(struct cases *c, const struct record *r, struct err *err)
{
	struct period *p = period_of(c, r->warrant, r->at, err);
	struct case_warrant *w = case_warrant_of(c, r->warrant, false);
	uint8_t hash[SEEN_HASH] = { 0 };

	if (p == NULL)
		return -1;
	if (r->sip != NULL) {
		if (!seen_hash(r, hash))
			return err_set(err, "out of memory");
		if (seen_before(p->seen, hash) || (w->before != NULL && seen_before(w->before->seen, hash))) {
			c->counts.again++;
			return 0;
		}
	}
	if (!written(c, p->event_say, r))
		return full(c, p, r, err);
	if (r->sip != NULL && !seen_note(p->seen, hash))
		return err_set(err, "out of memory");
	if (r->sip != NULL)
		grow_message(p, &p->growth, "other", p->events, r);
	return period_take_event(p, r, err);
}

/* What was sent before a warrant was revoked is on its way still; nothing newer than that is taken in, nor of one that nobody knows. */
static bool may_be_taken(struct cases *c, const struct record *r)
{
	const struct case_warrant *w = case_warrant_of(c, r->warrant, false);

	return w != NULL && w->in_table &&
	       (!w->warrant.revoked || (r->kind == RECORD_MEDIA ? r->media.at : r->at) < w->warrant.until);
}

int cases_take(struct cases *c, const struct record *r, struct err *err)
{
	struct case_call *k;
	int rc;

	if (r->kind > RECORD_BEFORE)
		return 0;
	c->counts.records++;
	if (!may_be_taken(c, r)) {
		c->counts.refused++;
		return err_code(
			err, EXIT_REFUSED, "a record of a warrant that is not in the table, or from after its end");
	}
	if (r->kind == RECORD_EVENT) {
		rc = take_event(c, r, err);
	} else {
		k = call_for(c, r, err);
		if (k == NULL)
			return -1;
		if (is_forged(r)) {
			k->forged[(unsigned)r->media.sort % 3]++;
			c->forged = true;
		}
		rc = is_forged(r) ? case_call_take(k, r, err) : take_in_call(c, k, r, err);
	}
	return rc == 0 && c->full ? err_set(err, "the disk is full: what comes is kept in memory") : rc;
}
