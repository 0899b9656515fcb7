/*
 * amr: AMR and AMR-WB out of RTP (RFC 4867): speech frames as their decoders take them, one table-of-contents octet
 * and the speech bits, octet-aligned (section 5.3).
 */
#ifndef DELIVERY_AMR_H
#define DELIVERY_AMR_H

#include "otway/base/bytes.h"

#define AMR_FRAMES    64 /* of one packet; 20 ms each */
#define AMR_FRAME_MAX 61 /* octets: AMR-WB 23.85 kbit/s (477 bits) and its table-of-contents octet */

struct amr_frame {
	uint8_t len; /* 0: nothing to decode (comfort noise, lost, no data): 20 ms of silence */
	uint8_t octets[AMR_FRAME_MAX];
};

/* True when the fmtp says so: a payload that is laid out in a way not read here (CRCs, interleaving, several
 * channels). */
bool amr_refused(const char *fmtp, uint8_t channels);

/* Whether the fmtp says octet-align=1; bandwidth-efficient otherwise (section 8.1). */
bool amr_aligned(const char *fmtp);

/* The frames of one payload. Returns how many; 0: malformed. */
size_t amr_split(struct bytes payload, bool wide, bool aligned, struct amr_frame out[AMR_FRAMES]);

#endif
