/*
 * wire: IP packets that carry something else than was captured: lengths and checksums made true again.
 */
#ifndef DELIVERY_WIRE_H
#define DELIVERY_WIRE_H

#include "otway/base/bytes.h"
#include "otway/model/packet.h"

/* Octets the packet had on the wire by its own header: more than packet.len when the capture cut it. */
uint32_t wire_length(struct bytes packet);

/*
 * The packet with `payload` in place of what stands behind its UDP header, headers and extension headers kept (RFC
 * 791, 8200, 768). payload_at: where its UDP payload begins. False: it is no IP packet with UDP there. out is reset
 * first.
 */
bool wire_carry(struct bytes packet, size_t payload_at, struct bytes payload, struct buf *out);

/*
 * Makes the UDP or TCP checksum of `packet` true, `was` being the packet before octets of its payload were changed. A
 * UDP checksum that was left out stays out; of a packet that the capture cut, the difference is taken (RFC 1624).
 */
void wire_checksum(uint8_t *packet, const uint8_t *was, size_t len);

#endif
