/*
 * value: single values of case.json. Unknown ones are null.
 */
#ifndef DELIVERY_VALUE_H
#define DELIVERY_VALUE_H

#include <jansson.h>

#include "otway/base/crypto.h"
#include "otway/base/nsec.h"

json_t *value_text(const char *s); /* of the wire: what is no UTF-8 becomes U+FFFD, octet by octet; NULL: null */
json_t *value_word(const char *s); /* likewise; "" is unknown too */
json_t *value_number(uint64_t n);
json_t *value_moment(nsec_t at); /* NSEC_NONE, NSEC_EVER: null */
json_t *value_hash(const uint8_t value[SHA256_LEN]);
void value_set(json_t *object, const char *name, json_t *value); /* taken over; NULL: null */

#endif
