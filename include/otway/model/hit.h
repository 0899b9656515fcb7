/*
 * hit: that a message names a target of a warrant in force, where, and on which side of the call.
 */
#ifndef OTWAY_MODEL_HIT_H
#define OTWAY_MODEL_HIT_H

#include "otway/model/sip_message.h"
#include "otway/model/warrant.h"

enum hit_side { HIT_FROM_TARGET, HIT_TO_TARGET, HIT_DIVERTING };
const char *hit_side_text(enum hit_side s); /* "from-target", "to-target", "diverting" */

struct hit {
	uint32_t warrant;        /* its local number */
	uint32_t target;         /* index into its targets */
	enum sip_header header;
	struct bytes value;      /* the URI as it stood there; borrowed from the message */
	enum hit_side side;
	bool verified;           /* false: a header that the caller may write as it likes, used for --trust-from */
	struct bytes kms;        /* KMS identity that the target's registration was answered with; empty: none. From the match stage */
	struct bytes sip;        /* a SIP URI of the same registration; likewise */
};

#endif
