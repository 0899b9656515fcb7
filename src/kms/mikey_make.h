/* make: payloads and sources that the exchanges build their messages from. */
#ifndef OTWAY_KMS_MIKEY_MAKE_H
#define OTWAY_KMS_MIKEY_MAKE_H

#include "otway/mikey_transfer.h"

/* A message of that type with the empty map, to which payloads are added. */
void mikey_make_begin(struct mikey *m, enum mikey_type type, uint8_t prf, uint32_t csb);
/* T of kind NTP-UTC; at8 holds the octets as long as m lives. */
void mikey_make_time(struct mikey *m, nsec_t at, uint8_t at8[8]);
void mikey_make_rand(struct mikey *m, enum mikey_rand_role role, struct bytes value); /* empty: none */
struct mikey_payload mikey_make_id(enum mikey_id_role role, const struct mikey_name *name);
void mikey_make_name(struct mikey *m, enum mikey_id_role role, const struct mikey_name *name); /* none: none */
void mikey_make_v(struct mikey *m, uint8_t mac);                                               /* room for a MAC */
/* KEMAC without MAC, its keys encrypted under s; `sealed` holds the octets. */
bool mikey_make_kemac(struct mikey *m, const struct mikey_source *s, uint8_t encr, nsec_t at,
	const struct mikey_keys *keys, struct buf *sealed, struct err *err);

struct mikey_name mikey_name_of(const struct mikey *m, enum mikey_id_role role); /* none: empty data */

/* What protects m under `key`; init: the message that m answers, NULL when it is none. RANDs are taken from both. */
struct mikey_source mikey_make_source(const struct mikey *m, const struct mikey *init, struct bytes key);
/* What its V covers behind it: identities, or init. Returns how many. */
size_t mikey_make_behind(
	const struct mikey *m, const struct mikey *init, const struct mikey_parties *known, struct bytes behind[2]);
/* Opens the KEMAC of m under s. */
bool mikey_make_open(const struct mikey *m, const struct mikey_source *s, struct mikey_keys *out, struct err *err);

/* MPKi || [MPKr] || {TEK|TGK|GTGK}, for KEMAC of a KMS. */
bool mikey_make_gather(const struct mikey_secrets *s, struct mikey_keys *out);
/* Takes the answer of a KMS: checked, verified as the answer to init, its keys out as the ticket's flags say they are. */
bool mikey_make_answered(const struct mikey *resp, const struct mikey *init, struct bytes psk, uint16_t flags,
	struct mikey_secrets *out, struct err *err);

/* What protects a message of a first transfer: MPKi, or MPKr' where keys are forked and m answers init. */
struct mikey_source mikey_transfer_source(
	const struct mikey *m, const struct mikey *init, uint16_t flags, const struct mikey_secrets *s);

/* What protects an update: as the last message of the first exchange. */
struct mikey_source mikey_update_source(const struct mikey_exchange *first, const struct mikey_secrets *s);

#endif
