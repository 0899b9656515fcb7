/* shared: keyed hashes of what joins the legs of a call. */
#include "shared.h"

#include "otway/base/secret.h"
#include "otway/base/table.h"
#include "otway/base/text.h"

#define MATERIAL_MAX 46 /* octets of key and salt of the longest suite (RFC 6188) */

enum share { SHARE_CALL_ID = 1, SHARE_SESSION, SHARE_ICID, SHARE_KEY };

/* Kinds are told apart by what is added to the hash; a chance hit of two such hashes is one in 2^64. */
static void share(struct shared *s, enum share kind, struct bytes value)
{
	uint64_t hash = table_hash(value) + kind * UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < s->count; i++)
		if (s->hash[i] == hash)
			return;
	if (value.len > 0 && s->count < SHARED_MAX)
		s->hash[s->count++] = hash;
}

/* RFC 7989 5: hex digits of either case name the same session. */
static void share_session(struct shared *s, struct bytes session)
{
	static const uint8_t nil[16];
	uint8_t uuid[16];

	if (text_unhex(session, uuid, sizeof(uuid)) == sizeof(uuid) && memcmp(uuid, nil, sizeof(nil)) != 0)
		share(s, SHARE_SESSION, (struct bytes){ uuid, sizeof(uuid) });
}

/* Key and salt as they are, however their base64 is padded. */
static void share_key(struct shared *s, struct bytes base64)
{
	uint8_t material[MATERIAL_MAX];
	long len = text_unbase64(base64, material, sizeof(material));

	if (len > 0)
		share(s, SHARE_KEY, (struct bytes){ material, (size_t)len });
	secret_wipe(material, sizeof(material));
}

void shared_of(const struct glance *g, struct shared *s)
{
	s->count = 0;
	share(s, SHARE_CALL_ID, g->call_id);
	share_session(s, g->session[0]);
	share_session(s, g->session[1]);
	share(s, SHARE_ICID, g->icid);
	for (size_t i = 0; i < g->inline_count; i++)
		share_key(s, g->inlines[i]);
}
