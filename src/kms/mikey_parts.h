/* parts: what the files that take MIKEY messages apart share. */
#ifndef OTWAY_KMS_MIKEY_PARTS_H
#define OTWAY_KMS_MIKEY_PARTS_H

#include "otway/mikey.h"

/* A place in octets that are read from their beginning. Once `failed`, err says why and every read gives nothing. */
struct mikey_cursor {
	struct bytes in;
	size_t at;
	const char *what; /* being read, for err: "ID payload" */
	struct err *err;
	bool failed;
};

uint8_t mikey_read_8(struct mikey_cursor *c);
uint16_t mikey_read_16(struct mikey_cursor *c);
uint32_t mikey_read_32(struct mikey_cursor *c);
struct bytes mikey_read(struct mikey_cursor *c, size_t len);
/* Says what is wrong at the place, unless something was before. */
void mikey_refuse(struct mikey_cursor *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Reads payloads from the place on, the first of type `type`, to the last of them. The count, or -1. With `padded` octets of
 * zero may follow, else nothing may.
 */
long mikey_read_chain(
	struct mikey_cursor *c, enum mikey_payload_type type, bool padded, struct mikey_payload out[MIKEY_PAYLOADS]);

/* One session of a GENERIC-ID map. */
void mikey_read_cs(struct mikey_cursor *c, struct mikey_cs *out);

/* Octets that are implied by a number: -1 where it is not known. */
int mikey_time_len(uint8_t kind);
int mikey_group_len(uint8_t group);
int mikey_hash_len(uint8_t kind);

/* Has a salt behind its key (RFC 3830 6.13). */
static inline bool mikey_key_salted(uint8_t kind)
{
	return kind == MIKEY_TGK_SALT || kind == MIKEY_TEK_SALT || kind == MIKEY_GTGK_SALT;
}

#endif
