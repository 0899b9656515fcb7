/*
 * resolve: candidates in their order. Each rule appends what it finds; whether it may be asked is looked up in one place, for all
 * alike: an identity out of signalling is never more than a name to look for among the agreements.
 */
#include "otway/resolve.h"

#include <stdio.h>
#include <stdlib.h>

#include "otway/base/text.h"
#include "otway/mikey.h"
#include "otway/model/identity.h"
#include "otway/otway_rees.h"

struct search {
	const struct key_wanted *wanted;
	const struct kms_agreements *agreements;
	struct kms_candidate *out;
	size_t count;
};

bool kms_identity(struct bytes uri, char out[KEY_URI_MAX])
{
	struct identity id;
	char text[KEY_URI_MAX];
	bool ok;

	uri = text_trim(uri);
	if (!text_begins(uri, "sip:") && !text_begins(uri, "sips:")) {
		if (uri.len == 0 || uri.len > KEY_URI_MAX - sizeof("sip:") || memchr(uri.at, ':', uri.len) != NULL)
			return false;
		snprintf(text, sizeof(text), "sip:%.*s", (int)uri.len, (const char *)uri.at);
		uri = bytes_of(text);
	}
	ok = identity_parse(uri, &id) && text_begins(bytes_of(id.uri), "sip:");
	if (ok)
		text_copy(bytes_of(id.uri), out, KEY_URI_MAX);
	identity_clear(&id);
	return ok;
}

/* The domain of a SIP URI, as it is compared; false: it has none. */
static bool domain_of(struct bytes uri, char out[KEY_URI_MAX])
{
	struct identity id;
	struct bytes host;
	bool ok = identity_parse(uri, &id) && text_begins(bytes_of(id.uri), "sip:");

	if (ok) {
		text_cut(bytes_of(id.uri), '@', &host);
		text_copy(host, out, KEY_URI_MAX);
	}
	identity_clear(&id);
	return ok;
}

/* The target's SIP URI: its own, else the one asserted for the same user. */
static bool target_domain(const struct key_wanted *w, char out[KEY_URI_MAX])
{
	return domain_of(w->target, out) || domain_of(w->target_sip, out);
}

static bool serves(const struct kms_agreement *a, const char *domain)
{
	for (size_t i = 0; i < a->home_count; i++) {
		struct bytes home = text_trim(bytes_of(a->homes[i]));

		if (home.len > 0 && home.at[home.len - 1] == '.')
			home.len--;
		if (text_is(home, domain))
			return true;
	}
	return false;
}

static bool names(const struct kms_agreement *a, struct bytes user)
{
	struct identity wanted, bound;
	bool found = false;

	if (!identity_parse(user, &wanted))
		return false;
	for (size_t i = 0; i < a->user_count && !found; i++) {
		found = identity_parse(bytes_of(a->users[i]), &bound) && identity_same(&wanted, &bound);
		identity_clear(&bound);
	}
	identity_clear(&wanted);
	return found;
}

/* TR 33.828 7.4.4: another operator's KMS is for the users of its own homes, roaming or called. */
static bool counts(const struct kms_agreement *a, const struct key_wanted *w)
{
	const struct bytes parties[] = { w->target, w->target_sip, w->from, w->to, w->answered };
	char domain[KEY_URI_MAX];

	if (!a->roaming_partner)
		return true;
	for (size_t i = 0; i < sizeof(parties) / sizeof(parties[0]); i++)
		if (domain_of(parties[i], domain) && serves(a, domain))
			return true;
	return false;
}

static const struct kms_agreement *agreement_of(const struct search *s, const char *identity)
{
	char own[KEY_URI_MAX];

	for (size_t i = 0; s->agreements != NULL && i < s->agreements->count; i++) {
		const struct kms_agreement *a = &s->agreements->all[i];

		if (a->identity != NULL && kms_identity(bytes_of(a->identity), own) && strcmp(own, identity) == 0 &&
			counts(a, s->wanted))
			return a;
	}
	return NULL;
}

static void add(struct search *s, enum kms_origin origin, struct bytes uri)
{
	struct kms_candidate c = { .origin = origin };

	if (s->count == KEY_CANDIDATES || !kms_identity(uri, c.identity))
		return;
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->out[i].identity, c.identity) == 0)
			return;
	c.agreement = agreement_of(s, c.identity);
	s->out[s->count++] = c;
}

static void add_convention(struct search *s, const char *domain)
{
	char uri[KEY_URI_MAX + sizeof("sip:kms@")];

	snprintf(uri, sizeof(uri), "sip:kms@%s", domain);
	add(s, KMS_CONVENTION, bytes_of(uri));
}

/* RFC 6043 6.10: IDRkms is in the TP Data of the ticket. True: there is a ticket. */
static bool add_of_ticket(struct search *s, struct bytes offer)
{
	struct mikey *m = malloc(sizeof(*m));
	struct mikey_payload *inside = calloc(MIKEY_PAYLOADS, sizeof(*inside));
	const struct mikey_payload *ticket = NULL, *id = NULL;
	long count = -1;

	if (m != NULL && inside != NULL && mikey_decode(offer, m, NULL))
		ticket = mikey_find(m, MIKEY_TICKET, 0);
	if (ticket != NULL)
		count = mikey_inside(ticket->ticket.policy, MIKEY_LAST, inside, NULL);
	if (count > 0)
		id = mikey_find_in(inside, (size_t)count, MIKEY_IDR, MIKEY_ID_KMS);
	if (id != NULL)
		add(s, KMS_OF_TICKET, id->id.data);
	free(inside);
	free(m);
	return ticket != NULL;
}

/* The profile: message 1 names its KMS, or else means kms@domain of A. */
static void add_of_otway_rees(struct search *s, bool convention)
{
	struct or_message *m = malloc(sizeof(*m));
	char domain[KEY_URI_MAX];

	if (m != NULL && or_read(s->wanted->offer, m, NULL) == 0) {
		if (!convention)
			add(s, KMS_OF_TICKET, m->kms);
		else if (m->kms.len == 0 && domain_of(m->a, domain))
			add_convention(s, domain);
	}
	free(m);
}

static void add_of_token(struct search *s)
{
	if (s->wanted->protocol == KEY_MGMT_OTWAY_REES)
		add_of_otway_rees(s, false);
	else if (!add_of_ticket(s, s->wanted->offer))
		add_of_ticket(s, s->wanted->first_offer);
}

/* "<sip:kms@abc.com>;q=1" as headers have it, or the URI alone. */
static void add_signalled(struct search *s)
{
	struct bytes inner, value = s->wanted->signalled;

	text_cut(value, '<', &inner);
	add(s, KMS_SIGNALLED, inner.len > 0 ? text_cut(inner, '>', NULL) : value);
}

static void add_administered(struct search *s)
{
	const struct kms_agreements *set = s->agreements;
	char domain[KEY_URI_MAX];

	for (size_t i = 0; set != NULL && i < set->count; i++)
		if (names(&set->all[i], s->wanted->target) || names(&set->all[i], s->wanted->target_sip))
			add(s, KMS_ADMINISTERED, bytes_of(set->all[i].identity));
	if (!target_domain(s->wanted, domain))
		return;
	for (size_t i = 0; set != NULL && i < set->count; i++)
		if (serves(&set->all[i], domain))
			add(s, KMS_ADMINISTERED, bytes_of(set->all[i].identity));
}

static void add_defaults(struct search *s)
{
	for (size_t i = 0; s->agreements != NULL && i < s->agreements->count; i++)
		if (s->agreements->all[i].network_default)
			add(s, KMS_NETWORK_DEFAULT, bytes_of(s->agreements->all[i].identity));
}

/* RFC 3830 6.1: the version, then the data type. */
bool kms_keyed_by_signalling(const struct key_wanted *w)
{
	return w->protocol == KEY_MGMT_MIKEY && w->offer.len >= 2 && w->offer.at[0] == 1 &&
	       w->offer.at[1] <= MIKEY_RSAR_RESP;
}

size_t kms_resolve(const struct key_wanted *w, const struct kms_agreements *agreements, struct kms_candidate *out)
{
	struct search s = { w, agreements, out, 0 };
	char domain[KEY_URI_MAX];

	if (kms_keyed_by_signalling(w))
		return 0;
	add_of_token(&s);
	add_signalled(&s);
	add_administered(&s);
	if (target_domain(w, domain))
		add_convention(&s, domain);
	else
		add_defaults(&s);
	if (w->protocol == KEY_MGMT_OTWAY_REES)
		add_of_otway_rees(&s, true);
	return s.count;
}
