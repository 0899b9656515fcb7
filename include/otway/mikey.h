/*
 * mikey: messages of Multimedia Internet KEYing, taken apart and put together (RFC 3830, with RFC 4563, 4567, 6043, 6309, 6509,
 * 7714). Keys, and what opens them, are in mikey_keys.h; the exchanges of MIKEY-TICKET in mikey_ticket.h.
 *
 * A struct mikey holds views into the octets it was decoded from, in their order; the same struct is what a message is built
 * from. What decodes, encodes to the same octets again.
 */
#ifndef OTWAY_MIKEY_H
#define OTWAY_MIKEY_H

#include "otway/base/bytes.h"
#include "otway/base/err.h"
#include "otway/base/nsec.h"

#define MIKEY_MESSAGE_MAX 65535 /* octets */
#define MIKEY_PAYLOADS    64    /* in one message, or in one field made of payloads */

/* Data type of a message. */
enum mikey_type {
	MIKEY_PSK_INIT,
	MIKEY_PSK_RESP,
	MIKEY_PK_INIT,
	MIKEY_PK_RESP,
	MIKEY_DH_INIT,
	MIKEY_DH_RESP,
	MIKEY_ERROR,
	MIKEY_DHHMAC_INIT, /* RFC 4650 */
	MIKEY_DHHMAC_RESP,
	MIKEY_RSAR_INIT, /* RFC 4738 */
	MIKEY_RSAR_RESP,
	MIKEY_REQUEST_INIT_PSK, /* RFC 6043, to TYPE_RESOLVE_RESP */
	MIKEY_REQUEST_INIT_PK,
	MIKEY_REQUEST_RESP,
	MIKEY_TRANSFER_INIT,
	MIKEY_TRANSFER_RESP,
	MIKEY_RESOLVE_INIT_PSK,
	MIKEY_RESOLVE_INIT_PK,
	MIKEY_RESOLVE_RESP,
	MIKEY_SAKKE_INIT = 26 /* RFC 6509 */
};

/* Payload numbers, as the next payload field has them. */
enum mikey_payload_type {
	MIKEY_LAST = 0,
	MIKEY_KEMAC = 1,
	MIKEY_PKE = 2,
	MIKEY_DH = 3,
	MIKEY_SIGN = 4,
	MIKEY_T = 5,
	MIKEY_ID = 6,
	MIKEY_CERT = 7,
	MIKEY_CHASH = 8,
	MIKEY_V = 9,
	MIKEY_SP = 10,
	MIKEY_RAND = 11,
	MIKEY_ERR = 12,
	MIKEY_TR = 13,
	MIKEY_IDR = 14,
	MIKEY_RANDR = 15,
	MIKEY_TP = 16,
	MIKEY_TICKET = 17,
	MIKEY_KEY = 20, /* within KEMAC alone */
	MIKEY_EXT = 21,
	MIKEY_SAKKE = 26,
	MIKEY_THDR = 256 /* has no number: begins Ticket Data (RFC 6043 A.3) */
};

enum mikey_prf { MIKEY_PRF_SHA1, MIKEY_PRF_SHA256 };
enum mikey_map { MIKEY_MAP_SRTP, MIKEY_MAP_EMPTY, MIKEY_MAP_GENERIC };
enum mikey_encr { MIKEY_ENCR_NULL, MIKEY_ENCR_CM_128, MIKEY_ENCR_KW_128, MIKEY_ENCR_CM_256 };
enum mikey_mac { MIKEY_MAC_NULL, MIKEY_MAC_SHA1, MIKEY_MAC_SHA256 };
enum mikey_time { MIKEY_NTP_UTC, MIKEY_NTP, MIKEY_COUNTER, MIKEY_NTP_UTC_32 };
enum mikey_time_role { MIKEY_TR_ISSUE = 1, MIKEY_TR_START, MIKEY_TR_END, MIKEY_TR_REKEY };
enum mikey_id { MIKEY_NAI, MIKEY_URI, MIKEY_BYTES };
enum mikey_id_role {
	MIKEY_ID_INITIATOR = 1,
	MIKEY_ID_RESPONDER,
	MIKEY_ID_KMS,
	MIKEY_ID_PSK,
	MIKEY_ID_APP,
	MIKEY_ID_KMS_INITIATOR,
	MIKEY_ID_KMS_RESPONDER
};
enum mikey_rand_role { MIKEY_RAND_INITIATOR = 1, MIKEY_RAND_RESPONDER, MIKEY_RAND_KMS };
enum mikey_key_type { MIKEY_TGK, MIKEY_TGK_SALT, MIKEY_TEK, MIKEY_TEK_SALT, MIKEY_GTGK, MIKEY_GTGK_SALT, MIKEY_MPK };
enum mikey_validity { MIKEY_KV_NULL, MIKEY_KV_SPI, MIKEY_KV_INTERVAL };
enum mikey_error {
	MIKEY_AUTH_FAILURE,
	MIKEY_INVALID_TS,
	MIKEY_INVALID_PRF,
	MIKEY_INVALID_MAC,
	MIKEY_INVALID_EA,
	MIKEY_INVALID_HA,
	MIKEY_INVALID_DH,
	MIKEY_INVALID_ID,
	MIKEY_INVALID_CERT,
	MIKEY_INVALID_SP,
	MIKEY_INVALID_SPPAR,
	MIKEY_INVALID_DT,
	MIKEY_UNSPECIFIED,
	MIKEY_INVALID_TICKET = 14,
	MIKEY_INVALID_TPPAR
};

/* The flags of a Ticket Policy (RFC 6043 6.10), as they lie behind the PRF. */
enum mikey_flag {
	MIKEY_D = 0x800, /* made by the KMS, not by the initiator */
	MIKEY_E = 0x400, /* the responder must resolve it with the KMS */
	MIKEY_F = 0x200, /* TRANSFER_RESP is sent */
	MIKEY_G = 0x100, /* the responder makes RANDRr */
	MIKEY_H = 0x080, /* RANDRi goes into traffic keys */
	MIKEY_I = 0x040, /* keys are forked */
	MIKEY_J = 0x020, /* may be used again */
	MIKEY_K = 0x010, /* the KMS changed what was wished for */
	MIKEY_L = 0x008, /* the initiator may supply keys */
	MIKEY_M = 0x004, /* the responder may */
	MIKEY_N = 0x002, /* RFC 6043 alone is enough for the initiator */
	MIKEY_O = 0x001  /* and for the responder */
};

/* Key validity data (RFC 3830 6.14). */
struct mikey_kv {
	uint8_t kind;          /* enum mikey_validity */
	struct bytes spi;      /* of MIKEY_KV_SPI */
	struct bytes from, to; /* of MIKEY_KV_INTERVAL */
};

/* One payload. Numbers that this does not know are kept as they are. */
struct mikey_payload {
	enum mikey_payload_type type;
	size_t at; /* where it begins in what was decoded; not used for encoding */
	struct bytes whole;
	union {
		struct {
			uint8_t encr;
			struct bytes data;
			uint8_t mac;
			struct bytes value;
		} kemac;
		struct {
			uint8_t cache; /* 2 bits */
			struct bytes data;
		} pke;
		struct {
			uint8_t group;
			struct bytes value;
			uint8_t reserved; /* 4 bits */
			struct mikey_kv kv;
		} dh;
		struct {
			uint8_t kind; /* 4 bits */
			struct bytes value;
		} sign; /* has no next payload field: always the last */
		struct {
			uint8_t role, kind; /* role: of TR alone */
			struct bytes value;
		} time; /* T, TR */
		struct {
			uint8_t role, kind; /* role: of IDR alone */
			struct bytes data;
		} id; /* ID, IDR, and CERT with its certificate */
		struct {
			uint8_t kind;
			struct bytes value;
		} hash; /* CHASH */
		struct {
			uint8_t mac;
			struct bytes value;
		} v;
		struct {
			uint8_t number, protocol;
			struct bytes params; /* see mikey_param */
		} sp;
		struct {
			uint8_t role; /* of RANDR alone */
			struct bytes value;
		} rand; /* RAND, RANDR */
		struct {
			uint8_t number;
			uint16_t reserved;
		} error;
		struct {
			uint16_t type;
			uint8_t subtype, version, prf;
			uint16_t flags;         /* enum mikey_flag */
			uint8_t reserved;       /* 5 bits */
			struct bytes policy;    /* TP Data: a number, then payloads: see mikey_inside */
			struct bytes data;      /* Ticket Data; of TICKET alone, as is the next */
			struct bytes initiator; /* Initiator Data: a number, then payloads; empty: none */
			size_t initiator_at; /* where the length of Initiator Data begins, from the payload's begin */
		} ticket;                    /* TP, TICKET */
		struct {
			uint8_t kind; /* enum mikey_key_type; 4 bits */
			struct bytes key;
			bool salted; /* by its kind: a salt is there */
			struct bytes salt;
			struct mikey_kv kv;
		} key;
		struct {
			uint8_t kind;
			struct bytes data;
		} ext;
		struct {
			uint8_t params, scheme;
			struct bytes data;
		} sakke;
		struct {
			struct bytes data;
		} thdr;
	};
};

/* One crypto session of the header's map. */
struct mikey_cs {
	uint8_t id, protocol;
	bool s;                /* the S flag: ROC and SEQ are there */
	struct bytes policies; /* numbers of SP payloads, an octet each */
	struct bytes data;     /* session data; for SRTP: SSRC, ROC, SEQ */
	struct bytes spi;
};

struct mikey {
	struct bytes whole; /* what was decoded; not used for encoding */
	uint8_t version, type;
	bool v;
	uint8_t prf;
	uint32_t csb;
	uint8_t cs_count, map_type;
	struct bytes map; /* CS ID map info: see mikey_session */
	struct mikey_payload payloads[MIKEY_PAYLOADS];
	size_t count;
};

/*
 * Takes a message apart: every length checked, every payload known, nothing behind the last. False with err: what is wrong and
 * at which octet. Whether it has what its type needs is mikey_check's.
 */
bool mikey_decode(struct bytes in, struct mikey *out, struct err *err);

/*
 * Payloads that lie within a field: with `first` MIKEY_LAST the field's first octet names the first of them (TP Data, Initiator
 * Data), else it is `first` (MIKEY_THDR for Ticket Data, MIKEY_KEY for what KEMAC holds). -1 with err: malformed, or too many.
 */
long mikey_inside(
	struct bytes field, enum mikey_payload_type first, struct mikey_payload out[MIKEY_PAYLOADS], struct err *err);

/* Appends the message to out. False: too long for one of its fields, or memory is out. */
bool mikey_encode(const struct mikey *m, struct buf *out);
/* Appends payloads as they lie within a field; with `numbered` behind the number of the first. */
bool mikey_encode_inside(const struct mikey_payload *p, size_t count, bool numbered, struct buf *out);
/* Puts p behind the others; NULL when there are too many. The payload's own copy, to fill in what is left. */
struct mikey_payload *mikey_add(struct mikey *m, struct mikey_payload p);

/* What RFC 3830, 4563 and 6043 ask of a message of its type: payloads that must be there, IDR for ID, maps, the rules of flags.
 * False with err: what is missing or wrong. Payloads that are not expected are passed over, as RFC 6043 asks. */
bool mikey_check(const struct mikey *m, struct err *err);
/* The rule of RFC 6043 6.10 that a set of flags breaks ("I needs E"); NULL: none. */
const char *mikey_flags_broken(uint16_t flags);

/* The first payload of that type (and role: 0 any) from `from` on; NULL: none. */
const struct mikey_payload *mikey_find(const struct mikey *m, enum mikey_payload_type type, uint8_t role);
const struct mikey_payload *mikey_find_in(
	const struct mikey_payload *p, size_t count, enum mikey_payload_type type, uint8_t role);

/* Data of the ID or IDR payload of that role, the value of RAND or RANDR; empty when there is none. */
struct bytes mikey_id_of(const struct mikey *m, enum mikey_id_role role);
struct bytes mikey_rand_of(const struct mikey *m, enum mikey_rand_role role);

/* The i-th crypto session of the map, from 0; false when there are no more. SRTP-ID numbers them by position, from 1. */
bool mikey_session(const struct mikey *m, size_t i, struct mikey_cs *out);
/* Appends a session to a GENERIC-ID map that is being built. */
bool mikey_session_add(struct buf *map, const struct mikey_cs *cs);

/* The i-th parameter of an SP payload; false when there are no more. */
bool mikey_param(struct bytes params, size_t i, uint8_t *type, struct bytes *value);

/* The time of T or TR; NSEC_NONE: a counter, or of a length that its kind has not. RFC 4330 3 tells the years 1968 to 2104. */
nsec_t mikey_time_of(const struct mikey_payload *p);
/* The NTP timestamp of a time, and the 64 bits that a timestamp is for an IV (RFC 3830 6.6, RFC 6043 6.3). */
void mikey_time_put(nsec_t at, uint8_t out[8]);
bool mikey_time_64(const struct mikey_payload *p, uint8_t out[8]);

/* Octets that an algorithm's value has; -1: not known. */
int mikey_mac_len(uint8_t mac);

/* Names of numbers, as the RFCs spell them; "?" for others. */
const char *mikey_type_text(uint8_t type);
const char *mikey_payload_text(enum mikey_payload_type type);

#endif
