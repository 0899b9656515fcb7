/*
 * blot: SRTP keys taken out of text (RFC 4568 6.1): what stands behind "inline:" is overwritten at equal length.
 */
#ifndef DELIVERY_BLOT_H
#define DELIVERY_BLOT_H

#include "otway/base/bytes.h"
#include "otway/base/table.h"
#include "otway/model/srtp_key.h"

/*
 * Overwrites with "*" the base64 of every inline key in `text` whose octets (master key, then salt) are a key of
 * `keys`, or whose print is there (blot_print); of every inline key when `all`. Padding or none; a line folded within the base64 is followed (RFC 3261
 * 7.3.1). Returns how many places were overwritten.
 */
size_t blot_keys(uint8_t *text, size_t len, const struct table *keys, bool all);

/* Puts the print of a key (srtp_key_print), where keys themselves are not known. False: out of memory. */
bool blot_print(struct table *keys, const uint8_t print[2 * KEY_PRINT], void *value);

/* And in the MIKEY messages of a=key-mgmt, which a key in clear takes with it. */
size_t blot_clear(uint8_t *text, size_t len, const struct table *keys, bool all);

/*
 * And over a whole SIP message: a body, or a part of one, that is coded (Content-Transfer-Encoding, Content-Encoding) and holds
 * such a key goes whole.
 */
size_t blot_message(uint8_t *text, size_t len, const struct table *keys, bool all);

#endif
