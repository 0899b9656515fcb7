/*
 * msg_octets: how the bodies of messages are written and read: numbers in network order, texts with a NUL, views with their length.
 * A writer goes on after a failure, and so does a reader: both are asked at the end.
 */
#ifndef OTWAY_MODEL_MSG_OCTETS_H
#define OTWAY_MODEL_MSG_OCTETS_H

#include "otway/model/msg.h"

/* Out. */

static inline uint8_t *put_room(struct buf *out, size_t len)
{
	uint8_t *at = buf_room(out, len);

	if (at != NULL)
		out->len += len;
	return at;
}

static inline void put_u8(struct buf *out, unsigned v)
{
	uint8_t *at = put_room(out, 1);

	if (at != NULL)
		*at = (uint8_t)v;
}

static inline void put_u16(struct buf *out, unsigned v)
{
	uint8_t *at = put_room(out, 2);

	if (at != NULL)
		put_be16(at, (uint16_t)v);
}

static inline void put_u32(struct buf *out, uint32_t v)
{
	uint8_t *at = put_room(out, 4);

	if (at != NULL)
		put_be32(at, v);
}

static inline void put_u64(struct buf *out, uint64_t v)
{
	uint8_t *at = put_room(out, 8);

	if (at != NULL) {
		put_be32(at, (uint32_t)(v >> 32));
		put_be32(at + 4, (uint32_t)v);
	}
}

static inline void put_nsec(struct buf *out, nsec_t at)
{
	put_u64(out, (uint64_t)at);
}

static inline void put_bytes(struct buf *out, struct bytes b)
{
	put_u32(out, (uint32_t)b.len);
	buf_add(out, b.at, b.len);
}

/* Its length with the NUL, and its octets; of NULL: 0. */
static inline void put_text(struct buf *out, const char *s)
{
	size_t len = s != NULL ? strlen(s) + 1 : 0;

	put_u32(out, (uint32_t)len);
	buf_add(out, s, len);
}

/* One that may not be NULL. */
static inline void put_word(struct buf *out, const char *s)
{
	put_text(out, s != NULL ? s : "");
}

/* A view within another: where it begins, and how long it is. False: it is not. */
bool put_within(struct buf *out, struct bytes whole, struct bytes part);
void put_addr(struct buf *out, const struct addr *a);
void put_flow(struct buf *out, const struct flow *f);
bool put_datagram(struct buf *out, const struct datagram *d);

/* True, when the body that began at `from` is whole; else it is taken back. */
bool put_end(struct buf *out, size_t from, bool ok);

/* In. */

struct octets {
	const uint8_t *at;
	size_t left;
	bool bad; /* they ended too soon, or something in them cannot be */
};

static inline struct octets octets_of(struct bytes in)
{
	return (struct octets){ in.at, in.len, false };
}

/* NULL: there are not so many. */
static inline const uint8_t *get_octets(struct octets *in, size_t len)
{
	const uint8_t *at = in->at;

	if (in->bad || at == NULL || len > in->left) {
		in->bad = true;
		return NULL;
	}
	in->at += len;
	in->left -= len;
	return at;
}

static inline uint8_t get_u8(struct octets *in)
{
	const uint8_t *at = get_octets(in, 1);

	return at != NULL ? *at : 0;
}

static inline uint16_t get_u16(struct octets *in)
{
	const uint8_t *at = get_octets(in, 2);

	return at != NULL ? be16(at) : 0;
}

static inline uint32_t get_u32(struct octets *in)
{
	const uint8_t *at = get_octets(in, 4);

	return at != NULL ? be32(at) : 0;
}

static inline uint64_t get_u64(struct octets *in)
{
	const uint8_t *at = get_octets(in, 8);

	return at != NULL ? be64(at) : 0;
}

static inline nsec_t get_nsec(struct octets *in)
{
	return (nsec_t)get_u64(in);
}

/* A value of an enum, at least `from` and less than `to`. */
static inline unsigned get_among(struct octets *in, unsigned from, unsigned to)
{
	unsigned v = get_u8(in);

	if (v >= from && v < to)
		return v;
	in->bad = true;
	return from;
}

static inline bool get_bool(struct octets *in)
{
	return get_among(in, 0, 2) != 0;
}

/* Several truths in one octet: no bit above the first `count`. */
static inline unsigned get_bits(struct octets *in, unsigned count)
{
	return get_among(in, 0, 1U << count);
}

/* How many of something follow, each of at least `least` octets: so memory for them is bounded by the message. */
static inline size_t get_count(struct octets *in, size_t max, size_t least)
{
	uint32_t n = get_u32(in);

	if (n <= max && n <= in->left / least)
		return n;
	in->bad = true;
	return 0;
}

static inline struct bytes get_bytes(struct octets *in)
{
	size_t len = get_u32(in);
	const uint8_t *at = get_octets(in, len);

	return (struct bytes){ at, at != NULL ? len : 0 };
}

/* A C string, or NULL where there was none. */
const char *get_text(struct octets *in);
/* One that may not be NULL: "" then, and in->bad. */
const char *get_word(struct octets *in);
/* Copied into out, where it has room with its NUL, or else in->bad. */
void get_chars(struct octets *in, char *out, size_t size);
struct bytes get_within(struct octets *in, struct bytes whole);
struct addr get_addr(struct octets *in);
struct flow get_flow(struct octets *in);
void get_datagram(struct octets *in, struct datagram *d);

/* All was there, and nothing more. */
static inline bool get_end(const struct octets *in)
{
	return !in->bad && in->left == 0;
}

#endif
