/*
 * resolve: which KMS to ask for a wanted key, in this order: the identity within the token (IDRkms), the one that was signalled, an
 * administered binding, the convention kms@domain of the target; for a tel: URI the SIP URI asserted for the same user, else the
 * network's default. Pure: no name is looked up, nothing is sent.
 */
#ifndef OTWAY_RESOLVE_H
#define OTWAY_RESOLVE_H

#include "otway/model/agreement.h"
#include "otway/model/key.h"

struct kms_candidate {
	enum kms_origin origin;
	char identity[KEY_URI_MAX]; /* normalised: sip:user@host, host in lower case, no port, no parameter */
	const struct kms_agreement *agreement; /* NULL: there is none, it is never asked */
};

/*
 * At most KEY_CANDIDATES, no identity twice (its first origin stands); returns how many.
 *
 * The token's is IDRkms of the TICKET's TP Data (of the first offer's where a re-keying leaves the ticket out), or the KMS
 * identity of an Otway-Rees message 1. Administered are first the agreements that name the target itself, then those of its
 * domain. Behind the target's own convention, an Otway-Rees token without a KMS identity means kms@domain of its A.
 * An agreement of a roaming partner counts only when a party of the call is of one of its homes.
 * None: kms_keyed_by_signalling, or a tel: URI without anything else.
 */
size_t kms_resolve(const struct key_wanted *w, const struct kms_agreements *agreements, struct kms_candidate *out);

/* The offer is MIKEY of RFC 3830 and its kin (types 0 to 10): its keys are made between the two ends, no KMS has them. */
bool kms_keyed_by_signalling(const struct key_wanted *w);

/*
 * A KMS identity as above compared: scheme sips as sip, port and parameters off; a NAI ("kms@abc.com") as the SIP URI it stands
 * for. False: neither, or no user part.
 */
bool kms_identity(struct bytes uri, char out[KEY_URI_MAX]);

#endif
