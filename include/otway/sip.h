/*
 * sip: datagram → SIP messages (RFC 3261) with the media their SDP describes; over UDP, TCP, WebSocket and SCTP.
 * SIP is recognised by content, on any port or those of sip_ports. What libosip2 refuses is counted as bad, and the message goes on
 * with what could be read of it when that is enough to follow a call (a Call-ID and a CSeq).
 */
#ifndef OTWAY_SIP_H
#define OTWAY_SIP_H

#include "otway/model/counter.h"
#include "otway/model/sip_message.h"

struct sip;

struct sip *sip_new(const char *kms_header); /* the header that names a KMS, or NULL; NULL: out of memory */
void sip_free(struct sip *s);

/*
 * SIP is looked for where either port is one of these, and nowhere else; what would be SIP on others is counted
 * ("sip_other_port"). None (0), and until it is called: on every port. False: out of memory.
 */
bool sip_ports(struct sip *s, const uint16_t *ports, size_t count);

/* Looks like SIP: a request line or status line begins it (CRLFs before it allowed). Cheap: for every datagram. */
bool sip_is(struct bytes payload);

/* In: one datagram, TCP and SCTP segments too, borrowed until its messages are taken out. */
void sip_take(struct sip *s, const struct datagram *in);

/*
 * Out: the next message, whole and not yet read; false when there is none. Borrowed until the next call on s, but for sip_read
 * of it, which gives NULL when too little of it can be followed.
 */
bool sip_whole(struct sip *s, const struct datagram **out);
const struct sip_message *sip_read(struct sip *s, const struct datagram *whole);

/* Out: both at once; false when there is none. *out is borrowed until the next call on s. */
bool sip_next(struct sip *s, const struct sip_message **out);

/* Time goes on, and what segments of TCP waited for may be given up; nothing more comes. Messages may be ready then. */
void sip_time(struct sip *s, nsec_t at);
void sip_end(struct sip *s);

#define SIP_ESP_MAX 8

/* ESP to this host under this SPI is authenticated and not encrypted; icv: octets of its check value, 0 not known. */
struct sip_esp {
	struct addr dst; /* the port means nothing */
	uint32_t spi;
	uint8_t icv;
};

/* What a message agrees on by Security-Client, -Server or -Verify (RFC 3329). No state; returns how many were written. */
size_t sip_security(const struct datagram *d, struct sip_esp out[SIP_ESP_MAX]);

/* "sip", "sip_bad", "sdp", "sdp_bad", and those of TCP and SCTP: "tcp_segments", "tcp_gaps", … and
 * "sip_other_port". Returns how many were written. */
size_t sip_counts(const struct sip *s, struct counter *out, size_t max);
/* Of them what is true whichever messages are read, and so whoever is a target: "sip" is here all that sip_whole gave. */
size_t sip_counts_capture(const struct sip *s, struct counter *out, size_t max);

#endif
