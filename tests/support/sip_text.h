/* sip_text: a sip stage for tests, told messages as text with plain newlines. */
#ifndef OTWAY_TESTS_SIP_TEXT_H
#define OTWAY_TESTS_SIP_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "otway/sip.h"

struct ear {
	struct sip *sip;
	uint8_t *octets; /* as long as the message, so that a sanitizer sees the first octet behind it */
	struct datagram datagram;
};

static inline void ear_open(struct ear *e)
{
	memset(e, 0, sizeof(*e));
	e->sip = sip_new("X-KMS");
}

static inline void ear_close(struct ear *e)
{
	sip_free(e->sip);
	free(e->octets);
}

/* A datagram of these octets; NULL: it holds no message. */
static inline const struct sip_message *ear_octets(struct ear *e, struct bytes octets)
{
	const struct sip_message *m;

	free(e->octets);
	e->octets = malloc(octets.len + 1);
	e->octets = realloc(e->octets, octets.len > 0 ? octets.len : 1);
	memcpy(e->octets, octets.at, octets.len);
	e->datagram.packet = e->datagram.payload = (struct bytes){ e->octets, octets.len };
	sip_take(e->sip, &e->datagram);
	return sip_next(e->sip, &m) ? m : NULL;
}

/* The same, each newline sent as CRLF. */
static inline const struct sip_message *ear_text(struct ear *e, const char *text)
{
	struct buf b = { 0 };
	const struct sip_message *m;

	for (; *text != '\0'; text++) {
		if (*text == '\n')
			buf_add(&b, "\r", 1);
		buf_add(&b, text, 1);
	}
	m = ear_octets(e, buf_bytes(&b));
	buf_clear(&b);
	return m;
}

/* A small INVITE with these further header lines (each with its newline) and this body. */
static inline const struct sip_message *ear_invite(struct ear *e, const char *more, const char *body)
{
	struct buf b = { 0 };
	const struct sip_message *m;

	buf_printf(&b,
		"INVITE sip:bob@ims.example SIP/2.0\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\n"
		"From: <sip:alice@ims.example>;tag=1\nTo: <sip:bob@ims.example>\nCall-ID: c1\nCSeq: 1 INVITE\n%s\n%s",
		more, body);
	buf_add(&b, "", 1);
	m = ear_text(e, (const char *)b.at);
	buf_clear(&b);
	return m;
}

static inline uint64_t ear_count(const struct ear *e, const char *name)
{
	struct counter all[8];
	size_t n = sip_counts(e->sip, all, 8);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].value;
	return UINT64_MAX;
}

static inline bool bytes_are(struct bytes b, const char *text)
{
	return bytes_equal(b, bytes_of(text));
}

#endif
