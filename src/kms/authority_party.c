/* authority: who is who, and who may answer for whom. */
#include "authority_parts.h"

#include <stdlib.h>

#include "otway/base/text.h"

bool authority_party(struct bytes id, struct identity *out)
{
	uint8_t uri[4 + IDENTITY_MAX] = "sip:";

	if (identity_parse(id, out))
		return true;
	if (id.len == 0 || id.len > IDENTITY_MAX || memchr(id.at, '@', id.len) == NULL)
		return false;
	memcpy(uri + 4, id.at, id.len);
	return identity_parse((struct bytes){ uri, 4 + id.len }, out);
}

bool authority_same(struct bytes a, struct bytes b)
{
	struct identity one, other;
	bool same = bytes_equal(a, b);

	if (!same && authority_party(a, &one)) {
		same = authority_party(b, &other) && one.uri[0] != '\0' && strcmp(one.uri, other.uri) == 0;
		identity_clear(&other);
	}
	identity_clear(&one);
	return same && a.len > 0;
}

bool authority_meant(struct bytes target, struct bytes party)
{
	struct identity one, other;
	bool same = false;

	if (target.len > 0 && authority_party(target, &one)) {
		same = authority_party(party, &other) && identity_same(&one, &other);
		identity_clear(&other);
	}
	identity_clear(&one);
	return same || (target.len > 0 && bytes_equal(target, party));
}

static int by_uri(const void *key, const void *user)
{
	return strcmp(((const struct identity *)key)->uri, ((const struct known_user *)user)->id.uri);
}

const struct kms_user *authority_user_of(const struct authority *a, struct bytes id)
{
	const struct known_user *found = NULL;
	struct identity key;

	if (authority_party(id, &key) && a->user_count > 0)
		found = bsearch(&key, a->users, a->user_count, sizeof(a->users[0]), by_uri);
	identity_clear(&key);
	return found != NULL ? found->user : NULL;
}

static struct bytes host_of(const struct identity *id)
{
	const char *at = strrchr(id->uri, '@');

	return bytes_of(at != NULL ? at + 1 : "");
}

/* One entry of a list: a URI, or "*@domain". */
static bool entry_names(const char *entry, struct bytes party)
{
	struct identity id;
	bool named;

	if (strncmp(entry, "*@", 2) != 0)
		return authority_same(bytes_of(entry), party);
	named = authority_party(party, &id) && entry[2] != '\0' && text_same(host_of(&id), bytes_of(entry + 2));
	identity_clear(&id);
	return named;
}

static bool list_names(char *const *list, size_t count, struct bytes party)
{
	for (size_t i = 0; i < count; i++)
		if (entry_names(list[i], party))
			return true;
	return false;
}

bool authority_may_answer(const struct authority *a, struct bytes r, struct bytes b)
{
	const struct kms_user *intended = authority_user_of(a, b);

	return authority_same(r, b) || list_names(a->policy->answerers, a->policy->answerer_count, r) ||
	       (intended != NULL && list_names(intended->answerers, intended->answerer_count, r));
}

const struct kms_partner *authority_partner(const struct authority *a, const char *peer)
{
	for (size_t i = 0; i < a->policy->partner_count; i++)
		if (strcmp(a->policy->partners[i].client, peer) == 0)
			return &a->policy->partners[i];
	return NULL;
}

bool authority_at_home(const struct kms_partner *p, struct bytes target)
{
	struct identity id;
	bool home = false;

	if (authority_party(target, &id) && id.number[0] == '\0')
		for (size_t i = 0; i < p->home_count; i++)
			home |= p->homes[i][0] != '\0' && text_same(host_of(&id), bytes_of(p->homes[i]));
	identity_clear(&id);
	return home;
}

bool authority_is_us(const struct authority *a, struct bytes kms)
{
	return kms.len == 0 || authority_same(kms, bytes_of(a->policy->identity));
}
