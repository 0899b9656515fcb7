/*
 * join: which messages belong together though their Call-IDs differ. A call is found by tokens: its Session-ID (RFC 7989),
 * its icid-value (RFC 7315 5.6), whom it calls, and the inline keys of its offer. Never by SDP o=, which devices repeat.
 */
#include "calls.h"

#include <stdlib.h>

#include "otway/base/secret.h"
#include "otway/base/text.h"

#define TOKEN_KEY_MAX 512
#define WALK_MAX      64 /* calls looked at for one token */

/* What a token says; the first octet of its key. */
enum token_kind { SESSION_HALF = 's', SESSION_PAIR = 'p', ICID = 'i', INLINE_KEY = 'k', CALLED = 'd' };

struct token_key {
	size_t len;
	uint8_t octets[TOKEN_KEY_MAX];
};

/* A token to put or to look up; what cannot be one is passed over. */
typedef void token_sink(void *context, struct bytes key);

static bool key_add(struct token_key *k, struct bytes b)
{
	if (b.len > sizeof(k->octets) - k->len)
		return false;
	if (b.len > 0)
		memcpy(k->octets + k->len, b.at, b.len);
	k->len += b.len;
	return true;
}

static void give(enum token_kind kind, struct bytes a, struct bytes b, token_sink *sink, void *context)
{
	struct token_key k = { .len = 1, .octets = { (uint8_t)kind } };

	if (a.len > 0 && key_add(&k, a) && key_add(&k, b))
		sink(context, (struct bytes){ k.octets, k.len });
	secret_wipe(&k, sizeof(k));
}

#define UUID_MAX 32

static struct bytes lower_case(struct bytes uuid, uint8_t room[UUID_MAX])
{
	if (uuid.len > UUID_MAX)
		return (struct bytes){ NULL, 0 };
	for (size_t i = 0; i < uuid.len; i++)
		room[i] = text_lower(uuid.at[i]);
	return (struct bytes){ room, uuid.len };
}

/*
 * The pair of UUIDs once both are known; before, the caller's own (RFC 7989 5: remote is nil in the first request).
 * Half of a known pair is none: a conference keeps one UUID towards all (RFC 7989 9.4).
 */
static void give_session(struct bytes local, struct bytes remote, token_sink *sink, void *context)
{
	uint8_t room[2][UUID_MAX]; /* older ones write them in upper case too (RFC 7329) */
	struct bytes a = lower_case(local, room[0]), b = lower_case(remote, room[1]);
	bool swap = a.len == b.len && a.len > 0 && memcmp(a.at, b.at, a.len) > 0;

	if (b.len == 0)
		give(SESSION_HALF, a, b, sink, context);
	else
		give(SESSION_PAIR, swap ? b : a, swap ? a : b, sink, context);
}

static void give_identity(const struct identity *id, token_sink *sink, void *context)
{
	struct bytes none = { NULL, 0 };

	give(CALLED, bytes_of(id->uri), none, sink, context);
	give(CALLED, bytes_of(id->number), none, sink, context);
}

/* A key of one repeated octet is nobody's own. */
static bool key_is_trivial(const struct srtp_key *k)
{
	for (size_t i = 1; i < suite_facts(k->suite)->key; i++)
		if (k->key[i] != k->key[0])
			return false;
	return true;
}

static void give_key(const struct srtp_key *k, token_sink *sink, void *context)
{
	if (!key_is_trivial(k))
		give(INLINE_KEY, (struct bytes){ k->key, sizeof(k->key) }, (struct bytes){ k->salt, sizeof(k->salt) },
			sink, context);
}

static void give_keys(const struct media_line *line, token_sink *sink, void *context)
{
	for (size_t i = 0; i < line->crypto_count; i++)
		for (size_t j = 0; j < line->cryptos[i].key_count; j++)
			give_key(&line->cryptos[i].keys[j], sink, context);
}

static void give_offer(const struct sip_message *m, token_sink *sink, void *context)
{
	if (!sip_is_initial(m) || !m->has_sdp)
		return;
	for (size_t i = 0; i < m->sdp.line_count; i++)
		give_keys(&m->sdp.lines[i], sink, context);
}

/* Putting. */

struct learning {
	struct call_stage *stage;
	struct call *call;
};

static bool token_known(const struct token *first, const struct call *call)
{
	for (; first != NULL; first = first->next_same)
		if (first->call == call)
			return true;
	return false;
}

static void learn(void *context, struct bytes key)
{
	struct learning *l = context;
	struct token *first = table_get(l->stage->tokens, key), *t;
	uint8_t *copy;

	if (l->call->token_count >= TOKENS_MAX || token_known(first, l->call))
		return;
	t = calloc(1, sizeof(*t));
	copy = malloc(key.len);
	if (t == NULL || copy == NULL || !table_put(l->stage->tokens, key, t)) {
		free(t);
		free(copy);
		return;
	}
	memcpy(copy, key.at, key.len);
	t->key = (struct bytes){ copy, key.len };
	t->call = l->call;
	t->next_same = first;
	t->next = l->call->tokens;
	l->call->tokens = t;
	l->call->token_count++;
}

void token_drop(struct call_stage *c, struct token *t)
{
	struct token *first = table_get(c->tokens, t->key), **at = &first;

	while (*at != NULL && *at != t)
		at = &(*at)->next_same;
	if (*at == t)
		*at = t->next_same;
	if (first == NULL)
		table_take(c->tokens, t->key);
	else
		table_put(c->tokens, t->key, first); /* the key is there: nothing is allocated */
	secret_free((void *)t->key.at, t->key.len);
	free(t);
}

/* Whom the call is for, by either key; a leg that tells only that they diverted it is looked for by it. */
static void learn_called(struct learning *l, const struct identity *id)
{
	struct call_stage *c = l->stage;

	if (id->uri[0] == '\0' && id->number[0] == '\0')
		return;
	give_identity(id, learn, l);
	for (size_t i = 0; i < c->called_count; i++)
		if (identity_same(&c->called[i], id))
			return;
	if (c->called_count < CALLED_MAX)
		c->called[c->called_count++] = *id;
}

static bool is_called(enum sip_header h)
{
	return h == SIP_HEADER_TO || h == SIP_HEADER_REQUEST_URI || h == SIP_HEADER_PCPID;
}

void join_learn(struct call_stage *c, struct call *call, const struct sip_message *m)
{
	struct learning l = { c, call };
	struct bytes none = { NULL, 0 };

	give_session(m->session_local, m->session_remote, learn, &l);
	give(ICID, m->icid, none, learn, &l);
	give_offer(m, learn, &l);
	for (size_t i = 0; sip_is_initial(m) && i < m->party_count; i++)
		if (is_called(m->parties[i].header))
			learn_called(&l, &m->parties[i].id);
	for (size_t i = 0; i < call->diversion_count; i++)
		learn_called(&l, &call->diverted[i].to);
}

/* Looking up. */

struct looking {
	const struct call_stage *stage;
	const struct sip_message *message;
	struct call **found;
	size_t count;
};

/* Its set-up goes on, or came to its answer or failure not long ago. */
static bool setting_up(const struct call *call, nsec_t at)
{
	return call_pending(call) || (call->settled != NSEC_NONE && at - call->settled <= LINGER);
}

/* The first INVITE of the call has no final answer. */
static bool first_pending(const struct call *call)
{
	return call->answered == NSEC_NONE && call->leg_count > 0 && call_pending(call);
}

static bool fits(const struct call *call, enum token_kind kind, const struct sip_message *m)
{
	if (call->leg_count >= LEGS_MAX)
		return false;
	switch (kind) {
	case INLINE_KEY:
		return first_pending(call);
	case CALLED:
		return setting_up(call, m->at) && caller_same(call, m);
	case SESSION_HALF:
	case SESSION_PAIR:
	case ICID:
		break;
	}
	return true;
}

static void found_add(struct looking *l, struct call *call)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->found[i] == call)
			return;
	if (l->count < JOIN_MAX)
		l->found[l->count++] = call;
}

static void look_up(void *context, struct bytes key)
{
	struct looking *l = context;
	size_t walked = 0;

	for (const struct token *t = table_get(l->stage->tokens, key); t != NULL && walked++ < WALK_MAX;
		t = t->next_same)
		if (fits(t->call, (enum token_kind)key.at[0], l->message))
			found_add(l, t->call);
}

/* Calls that somebody takes come first: they keep their number. */
static void best_first(struct call *found[JOIN_MAX], size_t count)
{
	for (size_t i = 1; i < count && found[0]->number == 0; i++)
		if (found[i]->number != 0) {
			struct call *best = found[i];

			found[i] = found[0];
			found[0] = best;
		}
}

size_t join_find(const struct call_stage *c, const struct sip_message *m, struct call *found[JOIN_MAX])
{
	struct looking l = { .stage = c, .message = m, .found = found };
	struct diversion_seen seen[DIVERSIONS_MAX];
	struct bytes none = { NULL, 0 };
	size_t count;

	if (table_size(c->tokens) == 0 || !sip_is_signalling(m))
		return 0;
	give_session(m->session_local, m->session_remote, look_up, &l);
	give(ICID, m->icid, none, look_up, &l);
	give_offer(m, look_up, &l);
	count = sip_is_initial(m) ? diversions_read(m, seen) : 0;
	for (size_t i = count; i-- > 0;) /* the last one to divert is the nearest */
		if (seen[i].by != NULL)
			give_identity(&seen[i].by->id, look_up, &l);
	best_first(found, l.count);
	return l.count;
}

/* Before parsing: does any call have one of these tokens? Whether it fits is asked again of the message. */

struct glancing {
	const struct call_stage *stage;
	bool known;
};

static void glance_at(void *context, struct bytes key)
{
	struct glancing *g = context;

	g->known |= table_get(g->stage->tokens, key) != NULL;
}

bool join_may(const struct call_stage *c, const struct glance *g)
{
	struct glancing l = { .stage = c };
	struct bytes none = { NULL, 0 }, nil = bytes_of("00000000000000000000000000000000");

	if (table_size(c->tokens) == 0 || !g->setup)
		return false;
	give_session(bytes_equal(g->session[0], nil) ? none : g->session[0],
		bytes_equal(g->session[1], nil) ? none : g->session[1], glance_at, &l);
	give(ICID, g->icid, none, glance_at, &l);
	for (size_t i = 0; i < g->inline_count && !l.known; i++)
		for (int suite = SUITE_UNSUPPORTED + 1; suite < SUITES; suite++) {
			struct srtp_key key;

			if (srtp_key_inline(g->inlines[i], (enum srtp_suite)suite, &key))
				give_key(&key, glance_at, &l);
			srtp_key_clear(&key);
		}
	return l.known;
}
