/*
 * agreement: with whose KMS we may speak, and how. A KMS identity is a name, never an address: only what is administered here is
 * ever asked, so that no domain seen in signalling learns who is a target.
 */
#ifndef OTWAY_MODEL_AGREEMENT_H
#define OTWAY_MODEL_AGREEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kms_agreement {
	uint32_t number;       /* local, from 1 */
	char *identity;        /* sip:kms@abc.com; compared as SIP URIs are, without port and parameters */
	char *url;             /* https://HOST[:PORT][/PATH]: where its LI side (Xk) listens */
	char *ca, *cert, *key; /* PEM files: whom to believe, and who we are to it */
	char **homes;          /* domains whose users it serves */
	size_t home_count;
	char **users;          /* single users bound to it, sip: or tel: URIs */
	size_t user_count;
	bool roaming_partner;  /* another operator's: asked for users of its homes alone */
	bool network_default;  /* for tel: identities of which no SIP URI is known */
};

struct kms_agreements {
	struct kms_agreement *all;
	size_t count;
};

bool kms_agreement_add(struct kms_agreements *set, const struct kms_agreement *a); /* a copy; false: out of memory */
void kms_agreement_clear(struct kms_agreement *a);
void kms_agreements_clear(struct kms_agreements *set);

#endif
