/* kms_users: the users' side of MIKEY-TICKET and Otway-Rees, for programs that measure the KMS. What fails ends the program. */
#ifndef TESTS_BENCH_KMS_USERS_H
#define TESTS_BENCH_KMS_USERS_H

#include "otway/authority.h"
#include "otway/mikey_transfer.h"
#include "otway/otway_rees.h"

/* A call from user 0 to user 1 of a policy. What the KMS answers goes into granted and resolved. */
struct user_call {
	const struct kms_policy *kms;
	nsec_t now;
	uint32_t number; /* makes its randoms its own */
	struct mikey_policy wish;
	struct buf request, granted, own, init, resolve, resolved, resp;
	struct mikey m_request, m_granted, m_init, m_resolve, m_resolved;
	struct mikey_payload ticket, inside[MIKEY_PAYLOADS];
	struct mikey_secrets alice, bob;
	uint8_t rand[32];
};

struct user_call *call_new(const struct kms_policy *kms, nsec_t now, uint32_t number);
void call_free(struct user_call *c);
void call_request(struct user_call *c);     /* mode 1: REQUEST_INIT_PSK into request */
void call_granted(struct user_call *c);     /* takes the ticket */
void call_make_ticket(struct user_call *c); /* mode 3 */
void call_offer(struct user_call *c);       /* TRANSFER_INIT into init, RESOLVE_INIT_PSK into resolve */
void call_answer(struct user_call *c);      /* TRANSFER_RESP into resp */

/* A run of Otway-Rees: two crypto sessions. What the KMS answers goes into response. */
struct user_run {
	uint8_t m[OR_NONCE];
	char call_id[32];
	struct buf offer, request, response, answer;
};
void run_begin(struct user_run *r, const struct kms_policy *kms, uint32_t number); /* messages 1 and 2 */
void run_answer(struct user_run *r);                                               /* message 4 */
void run_clear(struct user_run *r);

/* What the LI side asks; its messages are set by the caller. */
struct xk_request li_request(const struct kms_policy *kms, nsec_t now, enum key_mgmt protocol, const char *call_id);

void must(bool done, const char *what);

#endif
