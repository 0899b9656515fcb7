/* mikey_scene: octets for the tests of MIKEY, written as hex or base64. */
#ifndef OTWAY_SUPPORT_MIKEY_SCENE_H
#define OTWAY_SUPPORT_MIKEY_SCENE_H

#include <string.h>

#include "otway/base/text.h"
#include "otway/mikey.h"

struct octets {
	uint8_t at[2048];
	size_t len;
};

static inline struct octets octets_hex(const char *hex)
{
	struct octets o = { .len = 0 };
	long len = text_unhex(bytes_of(hex), o.at, sizeof(o.at));

	assert_true(len >= 0);
	o.len = (size_t)len;
	return o;
}

static inline struct octets octets_base64(const char *text)
{
	struct octets o = { .len = 0 };
	long len = text_unbase64(bytes_of(text), o.at, sizeof(o.at));

	assert_true(len > 0);
	o.len = (size_t)len;
	return o;
}

static inline struct octets octets_up(uint8_t from, size_t len)
{
	struct octets o = { .len = len };

	for (size_t i = 0; i < len; i++)
		o.at[i] = (uint8_t)(from + i);
	return o;
}

static inline struct bytes octets_view(const struct octets *o)
{
	return (struct bytes){ o->at, o->len };
}

static inline void assert_octets(struct bytes seen, const char *hex)
{
	struct octets o = octets_hex(hex);

	assert_int_equal(seen.len, o.len);
	assert_memory_equal(seen.at, o.at, o.len);
}

/* RFC 4567 5.1: offer and answer. */
static const char offer_4567[] = "AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6gAAAAAGEEoo2pee4hp2"
				 "UaDX8ZE22YwKAAAPZG9uYWxkQGR1Y2suY29tAQAAAAAAAQAk0JKpgaVkDaawi9whVBtBt"
				 "0KZ14ymNuu62+Nv3ozPLygwK/GbAV9iemnGUIZ19fWQUOSrzKTAv9zV";
static const char answer_4567[] = "AQEFgM0XflABAAAAAAAAAAAAAAYAyONQ6gAAAAAJAAAQbWlja2"
				  "V5QG1vdXNlLmNvbQABn8HdGE5BMDXFIuGEga+62AgY5cc=";

#endif
