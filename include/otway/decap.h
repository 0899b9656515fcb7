/*
 * decap: frame → datagrams. Takes off the link layer and whatever wraps the IP packet inside, rejoins fragments,
 * and stops at the transport payload. No header field is trusted further than the octets that are there.
 *
 * Memory is bounded: fragments of at most 4,096 datagrams and 64 MiB (the oldest go, counted), ESP packets held until
 * their association is known to be unencrypted at most 1 MiB. A plain Ethernet, IPv4, UDP frame is neither copied nor
 * does it touch the heap.
 */
#ifndef OTWAY_DECAP_H
#define OTWAY_DECAP_H

#include "otway/model/counter.h"
#include "otway/model/packet.h"

/* What may be wrapped around a packet and can be left alone by option. VLAN tags are no tunnels: they always go. */
enum decap_tunnel {
	/* in UDP: recognised by port and content */
	DECAP_VXLAN,  /* RFC 7348, and its generic protocol extension */
	DECAP_GENEVE, /* RFC 8926 */
	DECAP_GTPU,   /* TS 29.281 */
	DECAP_TZSP,   /* TaZmen sniffer protocol */
	DECAP_HEP,    /* HEP version 3: SIP or RTP that another probe saw. Over TCP it is counted ("hep_tcp"), not taken off */
	DECAP_L2TP,   /* RFC 2661 data messages */
	DECAP_ESP,    /* RFC 4303 without encryption, in UDP (RFC 3948) and directly in IP */
	DECAP_UDP_TUNNELS,
	/* directly in IP, or beneath it */
	DECAP_MPLS = DECAP_UDP_TUNNELS, /* RFC 3032, RFC 4448 */
	DECAP_PPPOE,                    /* RFC 2516 */
	DECAP_GRE,                      /* RFC 2784, 2890, 1701, 2637 */
	DECAP_ERSPAN,                   /* types I, II and III */
	DECAP_IPIP,                     /* IP in IP, all four ways (RFC 2003, 2473, 4213), EtherIP (RFC 3378) */
	DECAP_TUNNELS
};
const char *decap_tunnel_name(enum decap_tunnel t); /* "vxlan" …: also its counter's name */

#define DECAP_PORTS 8
#define DECAP_DEPTH 40 /* headers of one frame: some twelve tunnels deep is deeper than anything sensible */

struct decap_options {
	bool leave[DECAP_TUNNELS];                      /* seen and counted ("wrapped"), not taken off */
	uint16_t ports[DECAP_UDP_TUNNELS][DECAP_PORTS]; /* UDP ports, either side; 0: none */
	unsigned depth;                                 /* headers of one frame at most, to DECAP_DEPTH; 0: that */
	uint32_t fronts, own;                           /* of several fronts, this one: see decap_fragment; 0: it is alone */
};

/* All tunnels taken off, on the ports their standards name: 4789 4790 8472, 6081, 2152, 37008, 9060, 1701, 4500. */
void decap_options_init(struct decap_options *o);

struct decap;

struct decap *decap_new(const struct decap_options *o); /* NULL options: as decap_options_init. NULL: out of memory */
void decap_free(struct decap *d);

/* True for the LINKTYPE_ values it knows: Ethernet, raw IP (IPv4, IPv6 too), Linux SLL and SLL2, BSD null and loop. */
bool decap_knows(int link);

/*
 * The short way, for most frames of most captures: in Ethernet, IPv4 without options or fragments, UDP, on no tunnel's port, and all there.
 * *out is what decap_take and decap_next would give, borrowed from the frame. False: it is not one of them, and nothing was done.
 */
bool decap_plain(struct decap *d, const struct frame *in, struct datagram *out);

/* In: one frame, borrowed until the datagrams of it are taken out. */
void decap_take(struct decap *d, const struct frame *in);

/*
 * Out: the next datagram; false when there is none. *out is borrowed until the next call on d. Mostly one for a frame;
 * several when ESP packets that were held turn out to be readable (each bears its own, earlier time). What comes on a
 * tunnel's port and is no such tunnel is given as the datagram it is.
 */
bool decap_next(struct decap *d, struct datagram *out);

/*
 * One of several fronts: a fragment belongs to the front of decap_owner of it. decap_next gives others' out as datagrams without a
 * payload (payload.at NULL), packet being the fragment, flow its addresses, with which VLAN or tunnel it was in where the ports would be;
 * there it goes on by decap_fragment, and so does what comes of it.
 */
void decap_fragment(struct decap *d, const struct datagram *in);
/* Which of so many fronts a flow belongs to; the same both ways. Of a fragment (no payload): by its addresses and identification. */
uint32_t decap_owner(const struct datagram *d, uint32_t fronts);

/*
 * Signalling said that ESP to this address with this SPI is not encrypted (Security-Server and its kin, RFC 3329):
 * `icv` octets of integrity check value, 0: not known. The port of dst is not looked at. Packets held for it come out
 * of decap_next. False: out of memory.
 */
bool decap_esp_null(struct decap *d, const struct addr *dst, uint32_t spi, unsigned icv);

/* What kind of thing was left as it is, with what it is known by. */
enum decap_left_kind {
	DECAP_LEFT_TUNNEL, /* a tunnel that the options leave alone; id: its UDP port, 0: directly in IP or beneath it */
	DECAP_LEFT_NOT_TUNNEL, /* on a tunnel's port and not that tunnel, or nothing that can be read is in it; id: the port */
	DECAP_LEFT_LINK,      /* id: LINKTYPE_ that is not known */
	DECAP_LEFT_ETHERTYPE, /* id: it bears no IP, or is not known */
	DECAP_LEFT_LLC,       /* 802.2 without SNAP: spanning tree and its kin */
	DECAP_LEFT_PPP,       /* id: PPP's protocol */
	DECAP_LEFT_PROTOCOL,  /* id: IP's protocol */
	DECAP_LEFT_MORE,      /* kinds beyond the DECAP_LEFT_MAX that are told apart */
	DECAP_LEFT_KINDS
};

#define DECAP_LEFT_MAX 64

struct decap_left {
	enum decap_left_kind kind;
	enum decap_tunnel tunnel; /* of the first two kinds */
	uint32_t id;
	bool known; /* it is no wonder that nothing is taken out of it: ARP, ICMP … */
	uint64_t packets;
};

/* The kinds of things that were left as they are, in the order they were met; false: there are no more. */
bool decap_left(const struct decap *d, size_t i, struct decap_left *out);

/*
 * What tunnel the payload of a UDP datagram looks like, beyond what chance does: for those that came on no tunnel's port.
 * DECAP_TUNNELS: none. ESP and L2TP have too little to be known by.
 */
enum decap_tunnel decap_guess(struct bytes payload);

/* "datagrams", "truncated", "fragments", "not_ip", "broken", "vxlan", … Returns how many were written. */
size_t decap_counts(const struct decap *d, struct counter *out, size_t max);

#endif
