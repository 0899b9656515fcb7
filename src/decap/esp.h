/*
 * esp: ESP (RFC 4303) that is not encrypted, as IMS registrations negotiate it (ealg=null, RFC 3329 appendix A). Which
 * security association is so is said by signalling that was seen, or found by the heuristics of RFC 5879. Packets
 * that came before that was known are held, and come out when it is.
 */
#ifndef OTWAY_DECAP_ESP_H
#define OTWAY_DECAP_ESP_H

#include "otway/model/packet.h"

#define ESP_ASSOCIATIONS 1024       /* known at once; the one longest unused goes */
#define ESP_HOLD         8          /* packets of one of them */
#define ESP_HOLD_OCTETS  (1u << 20) /* of all */

struct esp;

struct esp_packet {
	nsec_t at;
	uint32_t source;
	struct bytes packet; /* the IP packet */
	struct bytes data;   /* within it, from the SPI on */
	struct addr src, dst;
};

enum esp_fate {
	ESP_CLEAR,  /* not encrypted: *inner and *next say what is in it */
	ESP_HELD,   /* not known yet */
	ESP_SEALED, /* encrypted, as far as can be told */
	ESP_BROKEN
};

struct esp *esp_new(void); /* NULL: out of memory */
void esp_free(struct esp *e);

enum esp_fate esp_take(struct esp *e, const struct esp_packet *in, struct bytes *inner, uint8_t *next);

/* Signalling said so; icv 0: of unknown length. False: out of memory. */
bool esp_learn(struct esp *e, const struct addr *dst, uint32_t spi, unsigned icv);

/* The next held packet whose association is known now, whole, borrowed until the next call; false: none. */
bool esp_next(struct esp *e, struct esp_packet *out);

/* Packets that came while their association was in doubt, and never came out: held still, or given up. */
uint64_t esp_undecided(const struct esp *e);

/* What lies before the trailer, and its next header, if the check value has `icv` octets; false: it cannot. */
bool esp_trailer(struct bytes data, unsigned icv, struct bytes *inner, uint8_t *next);

/*
 * How strongly a packet speaks for no encryption and a check value of `icv` octets: 0 not at all, ESP_SURE beyond doubt
 * (a checksum and a length of the inner packet are right); what lies between adds up over packets.
 */
#define ESP_SURE 4
unsigned esp_evidence(const struct esp_packet *in, unsigned icv);

#endif
