/*
 * security: security associations that a registration agrees on (RFC 3329, TS 33.203 annex H), as far as they leave ESP in clear.
 */
#include "otway/sip.h"

#include "parts.h"

#include "otway/base/text.h"

/* An offer may name several mechanisms; an SPI is told only when none of them encrypts. */
struct offer {
	uint32_t spi[SIP_ESP_MAX];
	size_t count;
	uint8_t icv;
	bool encrypts;
};

static uint8_t icv_of(struct bytes alg)
{
	if (text_is(alg, "hmac-sha-1-96") || text_is(alg, "hmac-md5-96"))
		return 12;
	return text_is(alg, "aes-gmac") ? 16 : 0;
}

static void take_mechanism(struct bytes mechanism, struct offer *out)
{
	static const char *const names[] = { "spi-c", "spi-s", "spi" };
	struct bytes params, value, name = text_trim(text_cut(mechanism, ';', &params));

	if (!text_is(name, "ipsec-3gpp"))
		return;
	out->encrypts |= param_find(params, "ealg", &value) && !text_is(value, "null");
	out->icv = param_find(params, "alg", &value) ? icv_of(value) : out->icv;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && out->count < SIP_ESP_MAX; i++) {
		uint64_t spi;

		if (param_find(params, names[i], &value) && text_number(value, UINT32_MAX, &spi) && spi > 255)
			out->spi[out->count++] = (uint32_t)spi; /* 1 to 255 are reserved (RFC 4303 2.1) */
	}
}

/*
 * Who chose the SPIs of a header receives under them: the sender of Security-Client and Security-Server, the receiver of
 * Security-Verify, which says again what Security-Server said (RFC 3329 2.3).
 */
static const struct addr *receiver(const struct datagram *d, struct bytes name)
{
	if (text_is(name, "Security-Client") || text_is(name, "Security-Server"))
		return &d->flow.src;
	return text_is(name, "Security-Verify") ? &d->flow.dst : NULL;
}

size_t sip_security(const struct datagram *d, struct sip_esp out[SIP_ESP_MAX])
{
	struct start_line start;
	struct bytes text, rest;
	struct header h;
	size_t n = 0;

	if (memmem(d->payload.at, d->payload.len, "ipsec-3gpp", 10) == NULL ||
		!start_line_read(d->payload, &start, &text, &rest))
		return 0;
	while (header_next(&rest, d->truncated, &h)) {
		const struct addr *dst = receiver(d, h.name);
		struct list mechanisms = { h.value, false, true };
		struct offer offer = { .count = 0 };
		struct bytes one;

		while (dst != NULL && list_next(&mechanisms, &one))
			take_mechanism(one, &offer);
		for (size_t i = 0; i < offer.count && !offer.encrypts && n < SIP_ESP_MAX; i++)
			out[n++] = (struct sip_esp){ .dst = *dst, .spi = offer.spi[i], .icv = offer.icv };
	}
	return n;
}
