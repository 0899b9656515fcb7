/*
 * xk: the LI side of a KMS, between a mediation function and it. TS 33.107 7A.7 names the parameters and leaves the encoding open:
 * this is ours, written for others to implement in deploy/xk.md. HTTPS, TLS 1.3 with certificates on both sides; the KMS knows
 * the LI role by the client's certificate. Bodies are JSON objects (application/json) of at most 64 KiB; octets in base64.
 *
 * POST …/xk/v1/keys    get_keys
 *   { "request": 32 hex digits, drawn for each wanted key and the same when asked again: the KMS gives the same answer to it,
 *     "warrant": the warrant's reference (its LIID), "kms": identity asked,
 *     "target": URI (of a tel: user the SIP URI, where one is asserted),
 *     "parties": {"from","to","answered"}, "dialog": {"call_id","from_tag","to_tag"}, "protocol": "mikey"|"otway-rees",
 *     "offer", "answer", "first_offer", "first_answer": key management messages of signalling, base64; any may be null,
 *     "at": time of the set-up, RFC 3339 UTC }
 *   200 { "request", "keys": [ {"cs","key","salt","mki","from","until"} ] }
 *       mki: hex or null. from, until: times, or null; cs as in the token: which stream it is of is read from signalling.
 *   200 { "request", "failure": "unknown"|"purged"|"refused"|"no-agreement"|"try-later", "retry_after": seconds or null }
 * POST …/xk/v1/ended   call_ended: the KMS may purge what belongs to the dialog.
 *   { "request", "kms", "dialog", "protocol", "offer" }  200 { "request", "purged": number of keys }
 * 400 what is malformed, with {"error"}; 403 a certificate without the LI role. Anything else counts as try-later.
 *
 * The KMS finds the key by the messages when they are given (a ticket is resolved, whoever holds it), else by the parties and the
 * dialog. It answers only when the target is a party of what it finds.
 */
#ifndef OTWAY_XK_H
#define OTWAY_XK_H

#include "otway/base/bytes.h"
#include "otway/base/err.h"
#include "otway/base/nsec.h"
#include "otway/model/key.h"

#define XK_BODY_MAX    ((size_t)64 << 10)
#define XK_KEYS_PATH   "/xk/v1/keys"
#define XK_ENDED_PATH  "/xk/v1/ended"
#define XK_TEXT_MAX    1024 /* octets of a URI, a Call-ID, a tag */
#define XK_WARRANT_MAX 64   /* octets of a warrant's reference */
#define XK_RETRY_MAX   86400

enum xk_failure { XK_NONE, XK_UNKNOWN, XK_PURGED, XK_REFUSED, XK_NO_AGREEMENT, XK_TRY_LATER, XK_FAILURES };
const char *xk_failure_text(enum xk_failure f); /* "unknown" …; NULL for XK_NONE */

/*
 * A request; an empty view is null. Of xk_read_* every view is into `text`, which the struct owns: xk_request_clear.
 * Must be there: request, warrant, kms, target, protocol, at; of call_ended: request, kms, call_id, protocol.
 */
struct xk_request {
	char request[KEY_REQUEST_ID];
	struct bytes warrant, kms, target, from, to, answered, call_id, from_tag, to_tag;
	nsec_t at;
	enum key_mgmt protocol;
	struct bytes offer, answer, first_offer, first_answer;
	struct buf text;
};

struct xk_key {
	uint8_t cs;
	uint8_t key[32], key_len, salt[14], salt_len; /* key_len 16, 24, 32; salt_len 12, 14 */
	uint8_t mki[MKI_MAX], mki_len;                /* 0: none */
	nsec_t from, until;                           /* NSEC_NONE: not said */
};

struct xk_answer {
	char request[KEY_REQUEST_ID];
	enum xk_failure failure;
	uint32_t retry_after; /* s, at most XK_RETRY_MAX; 0: not said */
	struct xk_key keys[KEY_SESSIONS];
	size_t key_count; /* at least 1 without a failure */
};

/*
 * Each write appends JSON, or nothing: -1 with err (EXIT_FAILED) naming the member that is missing or too long. Text of the wire
 * that is no UTF-8, or a control character, is written as U+FFFD.
 * Each read takes a whole body: -1 with err naming the member that is missing, of the wrong kind, or of the wrong length; then
 * *out is cleared. Members that are not known are passed over. What held keys on the way is wiped.
 */
int xk_write_request(const struct xk_request *r, struct buf *out, struct err *err);
int xk_read_request(struct bytes json, struct xk_request *out, struct err *err);
int xk_write_answer(const struct xk_answer *a, struct buf *out, struct err *err);
int xk_read_answer(struct bytes json, struct xk_answer *out, struct err *err);
int xk_write_ended(const struct xk_request *r, struct buf *out, struct err *err);
int xk_read_ended(struct bytes json, struct xk_request *out, struct err *err);
int xk_write_purged(
	const char *request, uint64_t purged, struct buf *out, struct err *err); /* the answer to call_ended */
int xk_read_purged(struct bytes json, char request[KEY_REQUEST_ID], uint64_t *purged, struct err *err);
int xk_write_error(const char *text, struct buf *out); /* the body of 400 and 403 */

/* 32 hex digits in lower case. */
bool xk_request_id_valid(const char *request);

void xk_request_clear(struct xk_request *r);
void xk_answer_clear(struct xk_answer *a);

#endif
