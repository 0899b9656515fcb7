/*
 * sctp: the chunks of an SCTP packet (RFC 9260 3.2).
 */
#ifndef OTWAY_SIP_SCTP_H
#define OTWAY_SIP_SCTP_H

#include "otway/base/bytes.h"

enum sctp_type { SCTP_DATA = 0, SCTP_INIT = 1, SCTP_INIT_ACK = 2 };

/* Takes the next whole chunk off the front, its padding too, which *chunk leaves out. False: there is none. */
bool sctp_chunk(struct bytes *rest, struct bytes *chunk);

/* A DATA chunk, part of a user message or all of it; the parts of one have consecutive numbers. */
struct sctp_data {
	bool begins, ends, unordered;
	uint32_t tsn;
	uint8_t label[8]; /* stream, its sequence number and the payload protocol, as they came */
	struct bytes octets;
};

/* False: another kind of chunk, or too short. */
bool sctp_data(struct bytes chunk, struct sctp_data *out);

/* The number of the first DATA chunk that the sender of an INIT or INIT ACK will send; false: another kind of chunk. */
bool sctp_first_tsn(struct bytes chunk, uint32_t *tsn);

#endif
