/*
 * bytes: views of memory, a buffer that grows, and numbers in network order.
 * A struct bytes is borrowed and never freed; a struct buf owns what it holds.
 */
#ifndef OTWAY_BASE_BYTES_H
#define OTWAY_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *at;
	size_t len;
};

/* A view of a C string, its NUL left out; NULL gives the empty view. */
static inline struct bytes bytes_of(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* The view from `from` on, at most `len` long; empty where it lies outside. */
static inline struct bytes bytes_part(struct bytes b, size_t from, size_t len)
{
	if (from > b.len || b.at == NULL) /* not even 0 may be added to NULL */
		return (struct bytes){ NULL, 0 };
	if (len > b.len - from)
		len = b.len - from;
	return (struct bytes){ b.at + from, len };
}

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, (uint16_t)(v >> 16));
	put_be16(p + 2, (uint16_t)v);
}

/* A buffer that grows. All zeroes is a valid empty one. */
struct buf {
	uint8_t *at;
	size_t len, cap;
	bool failed; /* out of memory: stays so until buf_clear; the bytes are not whole */
};

/* Append; false (and b->failed) when memory is out. */
bool buf_add(struct buf *b, const void *from, size_t len);
bool buf_text(struct buf *b, const char *text);
bool buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for `len` more octets behind the end, not yet counted in b->len; NULL: out of memory. */
uint8_t *buf_room(struct buf *b, size_t len);

/* Empties b and keeps its memory, or gives the memory back too (wiped first). */
void buf_reset(struct buf *b);
void buf_clear(struct buf *b);

static inline struct bytes buf_bytes(const struct buf *b)
{
	return (struct bytes){ b->at, b->len };
}

#endif
