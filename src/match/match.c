/*
 * match: a hash table from the canonical keys of targets to the warrants that name them, so that a message costs
 * one look-up for each of its parties whatever the number of targets.
 */
#include "otway/match.h"

#include <stdlib.h>

#include "bound.h"
#include "learnt.h"
#include "place.h"

#include "otway/base/secret.h"
#include "otway/base/table.h"
#include "otway/base/text.h"

#define TAUGHT_MAX      16
#define EXPIRES_DEFAULT 3600 /* seconds, where a registration says nothing (RFC 3261 10.2.1.1) */

/* A target of a warrant, found by up to two keys. `seen`: a bit for each (header, side) of the message `serial`. */
struct named {
	const struct warrant *warrant;
	uint32_t target;
	uint64_t serial, seen;
};

/* One of those that a key leads to. */
struct link {
	struct named *named;
	struct link *next;
};

_Static_assert(SIP_HEADERS * 3 <= 64, "a bit for each header and side");

struct match {
	struct table *keys; /* to struct link */
	struct named *named;
	struct link *links;
	size_t named_count;
	struct learnt *learnt;
	struct bound *bound;
	struct hit *hits;
	size_t hit_count, hit_room;
	struct identity taught[TAUGHT_MAX];
	size_t taught_count;
	uint64_t serial, matched;
};

struct match *match_new(void)
{
	struct match *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->keys = table_new();
	m->learnt = learnt_new();
	m->bound = bound_new();
	if (m->keys == NULL || m->learnt == NULL || m->bound == NULL) {
		match_free(m);
		return NULL;
	}
	return m;
}

void match_free(struct match *m)
{
	if (m == NULL)
		return;
	table_free(m->keys);
	learnt_free(m->learnt);
	bound_free(m->bound);
	free(m->named);
	free(m->links);
	free(m->hits);
	secret_free(m, sizeof(*m));
}

/* Puts a link before those of its key: tables are built from their end, so that links follow the set's order. */
static bool put(struct table *keys, struct link *link, const char *key, struct named *named)
{
	*link = (struct link){ named, table_get(keys, bytes_of(key)) };
	return key[0] == '\0' || table_put(keys, bytes_of(key), link);
}

static bool fill(struct table *keys, struct named *named, struct link *links, const struct warrant_set *set)
{
	size_t n = 0;

	for (size_t i = set->count; i-- > 0;) {
		const struct warrant *w = &set->all[i];

		for (size_t j = w->target_count; j-- > 0; n++) {
			named[n] = (struct named){ .warrant = w, .target = (uint32_t)j };
			if (!put(keys, &links[2 * n], w->targets[j].id.uri, &named[n]) ||
				!put(keys, &links[2 * n + 1], w->targets[j].id.number, &named[n]))
				return false;
		}
	}
	return true;
}

static bool is_target(const void *keys, struct bytes key)
{
	return table_get(keys, key) != NULL;
}

bool match_targets(struct match *m, const struct warrant_set *set)
{
	struct table *keys = table_new();
	struct named *named;
	struct link *links;
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		count += set->all[i].target_count;
	named = calloc(count + 1, sizeof(*named));
	links = calloc(2 * count + 1, sizeof(*links));
	if (keys == NULL || named == NULL || links == NULL || !fill(keys, named, links, set)) {
		table_free(keys);
		free(named);
		free(links);
		return false;
	}
	table_free(m->keys);
	free(m->named);
	free(m->links);
	m->keys = keys;
	m->named = named;
	m->links = links;
	m->named_count = count;
	m->hit_count = 0;
	learnt_keep(m->learnt, is_target, keys);
	bound_keep(m->bound, is_target, keys);
	return true;
}

static struct bytes target_key(const struct named *named)
{
	return learnt_key(&named->warrant->targets[named->target].id);
}

static void hit(struct match *m, struct named *named, const struct place *at, nsec_t now)
{
	uint64_t bit = UINT64_C(1) << (at->party->header * 3u + at->side);

	if (named->serial != m->serial)
		named->seen = 0;
	named->serial = m->serial;
	if ((named->seen & bit) != 0)
		return;
	if (m->hit_count == m->hit_room) {
		size_t room = m->hit_room > 0 ? 2 * m->hit_room : 16;
		struct hit *hits = realloc(m->hits, room * sizeof(*hits));

		if (hits == NULL)
			return;
		m->hits = hits;
		m->hit_room = room;
	}
	named->seen |= bit;
	m->hits[m->hit_count++] = (struct hit){
		.warrant = named->warrant->number,
		.target = named->target,
		.header = at->party->header,
		.value = at->party->uri,
		.side = at->side,
		.verified = at->verified,
	};
	bound_of(m->bound, target_key(named), now, &m->hits[m->hit_count - 1].kms, &m->hits[m->hit_count - 1].sip);
}

static void look_up(struct match *m, struct bytes key, const struct place *at, nsec_t now)
{
	struct link *link = key.len > 0 ? table_get(m->keys, key) : NULL;

	for (; link != NULL; link = link->next) {
		const struct warrant *w = link->named->warrant;

		if (warrant_in_force(w, now) && (at->verified || w->trust_from))
			hit(m, link->named, at, now);
	}
}

static void look_at(struct match *m, const struct place *at, nsec_t now)
{
	const struct identity *id = &at->party->id;
	struct bytes key;
	size_t step = 0;

	if (id->uri[0] == '\0')
		return;
	look_up(m, bytes_of(id->number), at, now);
	look_up(m, bytes_of(id->uri), at, now);
	while ((key = learnt_of(m->learnt, id, now, &step)).len > 0)
		look_up(m, key, at, now);
}

/* The user of To is the target of that key; what a message teaches is told in match_taught. */
static void teach(struct match *m, const struct identity *user, struct bytes key, const struct sip_message *message,
	uint32_t expires)
{
	if (learnt_register(m->learnt, user, key, message, expires) && m->taught_count < TAUGHT_MAX)
		m->taught[m->taught_count++] = *user;
}

static uint32_t seconds(const struct sip_party *contact, const struct sip_message *message)
{
	if (contact != NULL && contact->expires != UINT32_MAX)
		return contact->expires;
	return message->expires != UINT32_MAX ? message->expires : EXPIRES_DEFAULT;
}

/* The other identities of a registration belong to its subscriber (RFC 7315 4.1): they are what To is. */
static void learn_associated(struct match *m, const struct sip_message *message, const struct sip_party *to)
{
	uint32_t expires = seconds(sip_party_of(message, SIP_HEADER_CONTACT), message);
	struct bytes key = learnt_key(&to->id), lesson;
	char copy[IDENTITY_MAX];

	for (size_t i = 0; i < message->party_count; i++) {
		const struct sip_party *p = &message->parties[i];
		size_t step = 0;

		if (p->header != SIP_HEADER_ASSOCIATED || p->id.uri[0] == '\0' || identity_same(&p->id, &to->id))
			continue;
		if (is_target(m->keys, key))
			teach(m, &p->id, key, message, expires);
		while ((lesson = learnt_of(m->learnt, &to->id, message->at, &step)).len > 0)
			teach(m, &p->id, bytes_of(text_copy(lesson, copy, sizeof(copy))), message, expires);
	}
}

/* The SIP URI of a registration's user, one that is more than a number if there is one. */
static struct bytes sip_of(const struct sip_message *message)
{
	struct bytes found = { NULL, 0 };

	for (size_t i = message->party_count; i-- > 0;) {
		const struct sip_party *p = &message->parties[i];
		bool names_user = p->header == SIP_HEADER_ASSOCIATED || p->header == SIP_HEADER_TO;

		if (names_user && text_begins(p->uri, "sip") && (found.len == 0 || p->id.number[0] == '\0'))
			found = bytes_of(p->id.uri);
	}
	return found;
}

static void bind(struct match *m, struct bytes key, const struct sip_message *message)
{
	const struct sip_party *contact = sip_party_of(message, SIP_HEADER_CONTACT);
	uint32_t expires = contact != NULL ? seconds(contact, message) : 0; /* RFC 3261 10.3: it lists what holds now */

	for (const struct link *l = key.len > 0 ? table_get(m->keys, key) : NULL; l != NULL; l = l->next)
		if (expires == 0)
			bound_end(m->bound, target_key(l->named));
		else
			bound_learn(m->bound, target_key(l->named), message->kms, sip_of(message),
				message->at + (nsec_t)expires * NSEC_PER_SEC);
}

/* A 2xx to a REGISTER: its users are To and the associated ones, be they targets or known to be. */
static void learn_bound(struct match *m, const struct sip_message *message)
{
	for (size_t i = 0; i < message->party_count; i++) {
		const struct sip_party *p = &message->parties[i];
		struct bytes key;
		size_t step = 0;

		if ((p->header != SIP_HEADER_TO && p->header != SIP_HEADER_ASSOCIATED) || p->id.uri[0] == '\0')
			continue;
		bind(m, bytes_of(p->id.uri), message);
		bind(m, bytes_of(p->id.number), message);
		while ((key = learnt_of(m->learnt, &p->id, message->at, &step)).len > 0)
			bind(m, key, message);
	}
}

/* What a REGISTER, or its 200, says of targets. */
static void learn(struct match *m, const struct sip_message *message, const struct sip_party *to)
{
	bool contacts = false;

	for (size_t i = 0; i < message->party_count; i++) {
		const struct sip_party *p = &message->parties[i];
		struct identity device;

		if (p->header != SIP_HEADER_CONTACT)
			continue;
		contacts = true;
		if (p->instance.len > 0 && identity_parse(p->instance, &device) &&
			is_target(m->keys, bytes_of(device.uri)))
			teach(m, &to->id, bytes_of(device.uri), message, seconds(p, message));
	}
	if (!message->request) {
		learn_associated(m, message, to);
		learn_bound(m, message);
	} else if (!contacts && message->expires == 0) {
		learnt_leave(m->learnt, &to->id, message);
	}
}

size_t match_message_at(struct match *m, const struct sip_message *message, nsec_t moment, const struct hit **hits)
{
	const struct sip_party *to = message->method == SIP_REGISTER ? sip_party_of(message, SIP_HEADER_TO) : NULL;

	m->serial++;
	m->hit_count = 0;
	m->taught_count = 0;
	if (to != NULL && to->id.uri[0] != '\0' && (message->request || message->status / 100 == 2))
		learn(m, message, to);
	for (size_t i = 0; i < message->party_count; i++) {
		struct place at = { .party = &message->parties[i] };

		if (place_judge(message, &at))
			look_at(m, &at, moment);
	}
	if (to != NULL && !message->request)
		learnt_answered(m->learnt, &to->id, message);
	m->matched += m->hit_count > 0;
	*hits = m->hits;
	return m->hit_count;
}

size_t match_message(struct match *m, const struct sip_message *message, const struct hit **hits)
{
	return match_message_at(m, message, message->at, hits);
}

bool match_taught(struct match *m, struct identity *out)
{
	if (m->taught_count == 0)
		return false;
	*out = m->taught[--m->taught_count];
	return true;
}

size_t match_counts(const struct match *m, struct counter *out, size_t max)
{
	if (max == 0)
		return 0;
	out[0] = (struct counter){ "matched", m->matched };
	return 1;
}
