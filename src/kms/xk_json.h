/*
 * xk_json: members of Xk's JSON objects, of one kind and of bounded length, both ways. What reads tells the member in err.
 */
#ifndef OTWAY_KMS_XK_JSON_H
#define OTWAY_KMS_XK_JSON_H

#include <jansson.h>

#include "otway/xk.h"

/* The object that `json` is; NULL with err. */
json_t *xk_json_read(struct bytes json, struct err *err);
/* Appends it to out and frees it; -1 with err: out of memory, a member could not be set (NULL), or too long. */
int xk_json_write(json_t *object, struct buf *out, struct err *err);

/* Sets a member; false: out of memory. */
bool xk_json_set(json_t *object, const char *name, json_t *value);
json_t *xk_json_text(struct bytes text);     /* null when empty */
json_t *xk_json_octets(struct bytes octets); /* base64; null when empty */
json_t *xk_json_hex(struct bytes octets);    /* null when empty */
json_t *xk_json_time(nsec_t at);             /* null for NSEC_NONE */

/* What a member is to be. */
struct xk_json_rule {
	const char *name;
	size_t max; /* octets */
	bool required;
};

/*
 * Appends the member's octets to `to`, which has room already, and views them; empty: null or not there. -1 with err.
 */
int xk_json_take_text(
	const json_t *object, const struct xk_json_rule *rule, struct buf *to, struct bytes *out, struct err *err);
int xk_json_take_octets(
	const json_t *object, const struct xk_json_rule *rule, struct buf *to, struct bytes *out, struct err *err);
int xk_json_take_request(const json_t *object, char out[KEY_REQUEST_ID], struct err *err);
/* null or not there: *out stays. */
int xk_json_take_number(
	const json_t *object, const char *name, bool required, uint64_t max, uint64_t *out, struct err *err);
int xk_json_take_time(const json_t *object, const char *name, bool required, nsec_t *out, struct err *err);

#endif
