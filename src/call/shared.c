/* shared: keyed hashes of what joins the legs of a call. */
#include "shared.h"

#include "otway/base/secret.h"
#include "otway/base/table.h"
#include "otway/base/text.h"

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
	uint8_t uuid[16];

	if (text_unhex(session, uuid, sizeof(uuid)) == sizeof(uuid))
		share(s, SHARE_SESSION, (struct bytes){ uuid, sizeof(uuid) });
}

static void share_keys(struct shared *s, const struct media_line *line)
{
	for (size_t i = 0; i < line->crypto_count; i++) {
		for (size_t j = 0; j < line->cryptos[i].key_count; j++) {
			const struct srtp_key *key = &line->cryptos[i].keys[j];
			uint8_t material[sizeof(key->key) + sizeof(key->salt)];

			memcpy(material, key->key, sizeof(key->key));
			memcpy(material + sizeof(key->key), key->salt, sizeof(key->salt));
			share(s, SHARE_KEY, (struct bytes){ material, sizeof(material) });
			secret_wipe(material, sizeof(material));
		}
	}
}

void shared_of(const struct sip_message *m, struct shared *s)
{
	s->count = 0;
	share(s, SHARE_CALL_ID, m->call_id);
	share_session(s, m->session_local);
	share_session(s, m->session_remote);
	share(s, SHARE_ICID, m->icid);
	for (size_t i = 0; m->has_sdp && i < m->sdp.line_count; i++)
		share_keys(s, &m->sdp.lines[i]);
}
