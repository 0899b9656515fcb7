/*
 * framer: TCP segments and SCTP packets → SIP messages, each with a packet made around it. Knows SIP by content on any
 * port: over TCP (RFC 3261 18.3), WebSocket (RFC 7118) and SCTP (RFC 4168). A connection that was there before us
 * is joined at its next start-line. A hole is waited for 3 seconds, 64 segments or 256 KiB, then counted, and it goes on
 * at the next start-line. SIP over TLS is counted, never guessed.
 *
 * Memory: at most 65,535 directions of connections that carry SIP and 64 MiB of what is not a whole message yet, and of what
 * compressed ones may refer to, 48 KiB each (the oldest go, counted): 120 MiB in all. What carries no SIP takes none, half-open connections neither, beyond a table of
 * a quarter of a MiB. Work is linear in octets.
 */
#ifndef OTWAY_SIP_FRAMER_H
#define OTWAY_SIP_FRAMER_H

#include "otway/model/counter.h"
#include "otway/model/packet.h"

struct framer;

struct framer *framer_new(void);    /* NULL: out of memory */
void framer_free(struct framer *f); /* NULL is fine */

/* In: one segment, borrowed until its messages are taken out; not `framed`. Other protocols are passed over. */
void framer_take(struct framer *f, const struct datagram *segment);

/* In: one segment of a connection that is not to be followed. True: it begins with SIP, bare or in WebSocket. TLS is counted. */
bool framer_pass(struct framer *f, const struct datagram *segment);

/*
 * Out: the next message; false when there is none. Of its connection in order, each octet once. `framed`; payload is the
 * message, of at most 65,000 octets; at is the time of the segment that completed it; packet has the connection's
 * addresses, ports and place in the sequence, all else made up. `truncated`: its start-line is whole, the rest never came.
 * *message is borrowed until the next call on f.
 */
bool framer_next(struct framer *f, struct datagram *message);

/* Time goes on: holes that were waited for long enough are given up. */
void framer_time(struct framer *f, nsec_t at);

/* Nothing more comes: no hole is waited for any longer. framer_next gives what is left. */
void framer_end(struct framer *f);

#define FRAMER_COUNTS 16

/*
 * "tcp_segments" (of SIP, with payload), "tcp_retransmitted", "tcp_overlaps", "tcp_gaps", "tcp_resync" (lost its place
 * without a gap), "tcp_refused" (a length not believed), "tcp_too_long", "tcp_cut" (given truncated), "tcp_evicted",
 * "sip_tcp", "websocket", "sctp" (messages), "websocket_unpacked" (messages that came compressed and were read),
 * "websocket_packed" (that came compressed and cannot be read: what they refer to was not seen, mostly because the
 * connection was joined late), "sip_tls" (segments of TLS on the port of SIP over TLS, or that ask for SIP), "tcp_other"
 * (segments of connections that are not known for SIP). Of SCTP, a chunk counts as a segment. Returns how many were written.
 */
size_t framer_counts(const struct framer *f, struct counter *out, size_t max);

#endif
