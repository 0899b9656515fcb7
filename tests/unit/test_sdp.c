/* sdp: what an SDP says of its media, a=crypto above all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "../support/sip_text.h"

#define ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

static int open_ear(void **state)
{
	static struct ear e;

	ear_open(&e);
	*state = &e;
	return e.sip == NULL;
}

static int close_ear(void **state)
{
	ear_close(*state);
	return 0;
}

/* What an INVITE with this SDP says of its media. */
static const struct media_desc *described(void **state, const char *sdp)
{
	const struct sip_message *m = ear_invite(*state, "Content-Type: application/sdp\n", sdp);

	assert_non_null(m);
	assert_true(m->has_sdp);
	return &m->sdp;
}

/* The first m-line of a session at 192.0.2.1 that has these lines. */
static const struct media_line *line_of(void **state, const char *lines)
{
	char sdp[8192];
	const struct media_desc *d;

	snprintf(sdp, sizeof(sdp), "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n%s", lines);
	d = described(state, sdp);
	assert_true(d->line_count > 0);
	return &d->lines[0];
}

/* The a=crypto of a line that has only this one; NULL: it was skipped. */
static const struct media_crypto *crypto_of(void **state, const char *crypto)
{
	char lines[4096];
	const struct media_line *line;

	snprintf(lines, sizeof(lines), "m=audio 4000 RTP/SAVP 0\na=crypto:%s\n", crypto);
	line = line_of(state, lines);
	return line->crypto_count > 0 ? &line->cryptos[0] : NULL;
}

static void assert_address(const struct addr *a, const char *text)
{
	char got[ADDR_TEXT];

	assert_string_equal(a->family != 0 ? addr_text(a, got) : "", text);
}

/* S50, S51 */
static void each_line_has_its_own_port_address_and_keys(void **state)
{
	const struct media_desc *d =
		described(state, "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n"
				 "m=audio 4000 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
				 "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\n"
				 "m=audio 4010/2 RTP/SAVPF 8\nc=IN IP4 192.0.2.2/127\n"
				 "a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj\n"
				 "m=video 4020 UDP/TLS/RTP/SAVPF 96\nc=IN IP6 2001:db8::1\n"
				 "m=image 0 udptl t38\n");

	assert_int_equal(d->line_count, 4);
	assert_address(&d->lines[0].rtp, "192.0.2.1:4000");
	assert_address(&d->lines[0].rtcp, "192.0.2.1:4001");
	assert_memory_equal(
		d->lines[0].cryptos[0].keys[0].key, "wDfvg&T+)xG7@fb5", 16); /* base64 of RFC 4568, by Python */
	assert_memory_equal(d->lines[0].cryptos[0].keys[0].salt, "jU,RaA}\\|p0%*#", 14);
	assert_address(&d->lines[1].rtp, "192.0.2.2:4010");
	assert_int_equal(d->lines[1].cryptos[0].tag, 7);
	assert_int_equal(d->lines[1].cryptos[0].suite, AES_CM_128_HMAC_SHA1_32);
	assert_memory_equal(d->lines[1].cryptos[0].keys[0].key, "70xwPH5@/,L:S1wY", 16);
	assert_true(d->lines[1].secure);
	assert_address(&d->lines[2].rtp, "[2001:db8::1]:4020");
	assert_string_equal(d->lines[2].kind, "video");
	assert_string_equal(d->lines[2].profile, "UDP/TLS/RTP/SAVPF");
	assert_true(d->lines[2].dtls);
	assert_address(&d->lines[3].rtp, "192.0.2.1:0");
	assert_address(&d->lines[3].rtcp, "");
	assert_int_equal(d->lines[3].format_count, 0);
	assert_int_equal(ear_count(*state, "sdp_bad"), 0);
}

/* S54, S55 */
static void an_address_may_come_late_or_not_at_all(void **state)
{
	const struct media_desc *d =
		described(state, "v=0\nm=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.7\nm=video 4002 RTP/AVP 31\n");

	assert_address(&d->lines[0].rtp, "192.0.2.7:4000");
	assert_address(&d->lines[1].rtp, "192.0.2.7:4002");
	assert_int_equal(ear_count(*state, "sdp_bad"), 0); /* s= and t= are left out by many */
	d = described(state, "v=0\ns=-\nm=audio 4000 RTP/AVP 0\n");
	assert_int_equal(d->line_count, 1);
	assert_address(&d->lines[0].rtp, "");
	assert_address(&d->lines[0].rtcp, "");
	d = described(state, "v=0\nc=IN IP4 host.example\nm=audio 4000 RTP/AVP 0\n");
	assert_address(&d->lines[0].rtp, "");
	d = described(state, "v=0\nc=\nm=\nm=audio\nm=audio x y z\na=\na\n=\nc=IN\n");
	assert_int_equal(d->line_count, 3);
	assert_int_equal(ear_count(*state, "sdp_bad"), 1);
}

/* S58 */
static void hold_is_a_direction_or_no_address(void **state)
{
	const struct media_line *line = line_of(state, "m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0\n");

	assert_address(&line->rtp, "");
	assert_int_equal(line->flow, MEDIA_SENDONLY);
	line = line_of(state, "m=audio 4000 RTP/AVP 0\nc=IN IP6 ::\na=recvonly\n");
	assert_int_equal(line->flow, MEDIA_INACTIVE);
	assert_int_equal(line_of(state, "m=audio 4000 RTP/AVP 0\n")->flow, MEDIA_SENDRECV);
	assert_int_equal(line_of(state, "m=audio 4000 RTP/AVP 0\na=inactive\n")->flow, MEDIA_INACTIVE);
	assert_int_equal(line_of(state, "a=sendonly\nm=audio 4000 RTP/AVP 0\n")->flow, MEDIA_SENDONLY);
	assert_int_equal(line_of(state, "a=sendonly\nm=audio 4000 RTP/AVP 0\na=sendrecv\n")->flow, MEDIA_SENDRECV);
}

/* S63, RFC 3605 2.1, RFC 5761 5.1.1, RFC 8858 */
static void rtcp_goes_where_the_line_says(void **state)
{
	const struct media_line *line = line_of(state, "m=audio 49170 RTP/AVP 0\na=rtcp:53020\n");

	assert_address(&line->rtcp, "192.0.2.1:53020");
	assert_false(line->rtcp_mux);
	line = line_of(state, "m=audio 49170 RTP/AVP 0\na=rtcp:53020 IN IP4 126.16.64.4\nc=IN IP4 192.0.2.9\n");
	assert_address(&line->rtcp, "126.16.64.4:53020");
	line = line_of(state, "m=audio 49170 RTP/AVP 0\na=rtcp:53020 IN IP6 2001:2345:6789:ABCD:EF01:2345:6789:ABCD\n");
	assert_address(&line->rtcp, "[2001:2345:6789:abcd:ef01:2345:6789:abcd]:53020");
	line = line_of(state, "m=audio 49170 RTP/AVP 0\na=rtcp-mux\n");
	assert_true(line->rtcp_mux);
	assert_address(&line->rtcp, "192.0.2.1:49171");
	line = line_of(state, "m=audio 49170 RTP/AVP 0\na=rtcp-mux-only\n");
	assert_true(line->rtcp_mux);
	assert_address(&line->rtcp, "");
	line = line_of(state, "m=audio 65535 RTP/AVP 0\n");
	assert_address(&line->rtcp, "");
}

static void formats_have_names_of_the_line_or_the_standard(void **state)
{
	const struct media_line *line = line_of(state,
		"m=audio 4000 RTP/AVP 9 97 0 10 101 99 128 x\na=rtpmap:97 opus/48000/2\na=fmtp:97 useinbandfec=1; "
		"stereo=0\n"
		"a=rtpmap:0 XYZ/16000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\na=rtpmap:8 PCMA/8000\n");

	assert_int_equal(line->format_count, 6);
	assert_string_equal(line->formats[0].name, "G722"); /* RFC 3551 6: its clock is 8000 for 16 kHz speech */
	assert_int_equal(line->formats[0].clock, 8000);
	assert_int_equal(line->formats[1].pt, 97);
	assert_string_equal(line->formats[1].name, "opus");
	assert_int_equal(line->formats[1].clock, 48000);
	assert_int_equal(line->formats[1].channels, 2);
	assert_string_equal(line->formats[1].fmtp, "useinbandfec=1; stereo=0");
	assert_string_equal(line->formats[2].name, "XYZ");
	assert_int_equal(line->formats[2].clock, 16000);
	assert_string_equal(line->formats[3].name, "L16");
	assert_int_equal(line->formats[3].clock, 44100);
	assert_int_equal(line->formats[3].channels, 2);
	assert_string_equal(line->formats[4].fmtp, "0-16");
	assert_string_equal(line->formats[5].name, "");
	assert_int_equal(line->formats[5].channels, 1);
}

static void bundles_candidates_and_sources_are_noted(void **state)
{
	const struct media_desc *d = described(state,
		"v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\na=group:LS z\na=group:BUNDLE a1 v1\n"
		"m=audio 4000 RTP/AVP 0\na=mid:a1\na=ssrc:4000000000 cname:x\na=ssrc:4000000000 label:y\na=ssrc:7 "
		"cname:x\n"
		"a=candidate:1 1 UDP 2130706431 10.0.1.1 8998 typ host\na=candidate:2 2 UDP 1 10.0.1.1 8999 typ host\n"
		"a=candidate:3 1 tcp 1 10.0.1.1 9 typ host tcptype active\n"
		"a=candidate:4 1 udp 1694498815 2001:db8::5 45664 typ srflx raddr 10.0.1.1 rport 8998\n"
		"a=candidate:5 1 udp 1 abc.local 45664 typ host\n"
		"m=video 4000 RTP/AVP 31\na=mid:v1\nm=audio 4004 RTP/AVP 0\na=mid:z\n");

	assert_true(d->lines[0].bundled);
	assert_true(d->lines[1].bundled);
	assert_false(d->lines[2].bundled);
	assert_string_equal(d->lines[1].mid, "v1");
	assert_int_equal(d->lines[0].candidate_count, 2);
	assert_address(&d->lines[0].candidates[0], "10.0.1.1:8998");
	assert_address(&d->lines[0].candidates[1], "[2001:db8::5]:45664");
	assert_int_equal(d->lines[0].ssrc_count, 2);
	assert_int_equal(d->lines[0].ssrcs[0], 4000000000);
	assert_int_equal(d->lines[0].ssrcs[1], 7);
}

static void what_agrees_keys_elsewhere_is_noted(void **state)
{
	const struct media_line *line = line_of(state, "a=key-mgmt:mikey AQAFgM0X\nm=audio 4000 RTP/SAVP 0\n");

	assert_true(line->mikey);
	assert_true(bytes_are(line->key_mgmt, "AQAFgM0X"));
	assert_false(line->dtls);
	assert_false(line_of(state, "a=key-mgmt:mikey AQAFgM0X\nm=audio 4000 RTP/AVP 0\n")->mikey);
	line = line_of(
		state, "a=key-mgmt:mikey AAAA\nm=audio 4000 RTP/AVP 0\na=key-mgmt:mikey BBBB\na=key-mgmt:keyp1 CCCC\n");
	assert_true(bytes_are(line->key_mgmt, "BBBB"));
	assert_true(line_of(state, "a=fingerprint:SHA-1 4A:AD\nm=audio 4000 RTP/SAVP 0\n")->dtls);
	assert_true(line_of(state, "m=audio 4000 RTP/SAVP 0\na=fingerprint:SHA-1 4A:AD\n")->dtls);
	assert_true(line_of(state, "m=audio 4000 RTP/AVP 0\na=zrtp-hash:1.10 fe30\n")->zrtp);
	assert_false(line_of(state, "m=audio 4000 RTP/AVP 0\n")->zrtp);
}

/* S92. AQ4F begins version 1, type 14 (TRANSFER_INIT), AQAF type 0, whose keys anybody on the way can have written. */
static void a_ticket_stands_before_a_message_that_carries_its_keys(void **state)
{
	const struct media_line *line =
		line_of(state, "m=audio 4000 RTP/SAVP 0\na=key-mgmt:mikey AQAFgM0X\na=key-mgmt:mikey "
			       "AQ4FgM0X\na=key-mgmt:mikey AQ4FBBBB\n");

	assert_true(bytes_are(line->key_mgmt, "AQ4FgM0X"));
	assert_false(line->mikey_of_session);
	line = line_of(state, "a=key-mgmt:mikey AQ4FgM0X\nm=audio 4000 RTP/SAVP 0\na=key-mgmt:mikey AQAFgM0X\n");
	assert_true(bytes_are(line->key_mgmt, "AQ4FgM0X"));
	assert_true(line->mikey_of_session);
	line = line_of(state, "a=key-mgmt:mikey AQ4FgM0X\nm=audio 4000 RTP/SAVP 0\na=key-mgmt:mikey AQ4FBBBB\n");
	assert_true(bytes_are(line->key_mgmt, "AQ4FBBBB"));
}

/* S67, RFC 5939: crypto beside RTP/AVP, plainly and as a capability. */
static void crypto_is_read_whatever_the_profile(void **state)
{
	const struct media_line *line =
		line_of(state, "m=audio 4000 RTP/AVP 0\na=tcap:1 RTP/SAVP\n"
			       "a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 "
			       "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\na=pcfg:1 t=1 a=1\n");

	assert_false(line->secure);
	assert_int_equal(line->crypto_count, 1);
	assert_int_equal(line->cryptos[0].key_count, 1);
}

/* S69 */
static void an_offer_of_four_suites_keeps_its_tags(void **state)
{
	const struct media_line *line = line_of(state,
		"m=audio 4000 RTP/SAVP 0\n"
		"a=crypto:1 AEAD_AES_256_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis=\n"
		"a=crypto:2 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==\n"
		"a=crypto:3 AES_192_CM_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCU=\n"
		"a=crypto:4 NULL_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\n");

	assert_int_equal(line->crypto_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(line->cryptos[i].tag, i + 1);
		assert_int_equal(line->cryptos[i].key_count, 1);
		assert_int_equal(line->cryptos[i].keys[0].source, KEY_SDES);
	}
	assert_int_equal(line->cryptos[0].suite, AEAD_AES_256_GCM);
	assert_int_equal(line->cryptos[3].suite, NULL_HMAC_SHA1_80);
	assert_int_equal(line->cryptos[0].keys[0].salt[11], 43);
}

/* S70, S73 */
static void padding_and_spelling_of_aes_256_do_not_matter(void **state)
{
	static const char *const forms[] = {
		"1 AES_256_CM_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ==",
		"1 AES_256_CM_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ",
		"1 AES_CM_256_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ==",
		("1\t aes_cm_256_hmac_sha1_80  "
		 "INLINE:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ==|2^31 "),
	};

	for (size_t i = 0; i < ELEMENTS(forms); i++) {
		const struct media_crypto *c = crypto_of(state, forms[i]);

		assert_non_null(c);
		assert_int_equal(c->suite, AES_256_CM_HMAC_SHA1_80);
		assert_int_equal(c->key_count, 1);
		assert_int_equal(c->keys[0].key[31], 31);
		assert_int_equal(c->keys[0].salt[0], 32);
		assert_int_equal(c->keys[0].salt[13], 45);
		assert_int_equal(c->keys[0].mki_len, 0);
	}
}

#define SUITE "1 AES_CM_128_HMAC_SHA1_80 "
#define KEY1  "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" /* RFC 4568 7.1.4 */
#define KEY2  "inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5"

/* S71 */
static void lifetime_and_mki_stand_in_any_company(void **state)
{
	static const struct {
		const char *params;
		uint8_t mki_len;
		const char *mki;
	} forms[] = {
		{ KEY1 "|2^31", 0, "" },
		{ KEY1 "|1048576", 0, "" },
		{ KEY1 "|2^31|1:1", 1, "\x01" },
		{ KEY1 "|1:4", 4, "\0\0\0\x01" },
		{ KEY1 "|2^20|1066:4", 4, "\0\0\x04\x2a" },
		{ KEY1 "|18446744073709551616:9", 9, "\x01\0\0\0\0\0\0\0\0" },
		{ KEY1 "||255:1", 1, "\xff" },
	};

	for (size_t i = 0; i < ELEMENTS(forms); i++) {
		char crypto[256];
		const struct media_crypto *c;

		snprintf(crypto, sizeof(crypto), SUITE "%s", forms[i].params);
		c = crypto_of(state, crypto);
		assert_non_null(c);
		assert_int_equal(c->key_count, 1);
		assert_int_equal(c->keys[0].mki_len, forms[i].mki_len);
		assert_memory_equal(c->keys[0].mki, forms[i].mki, forms[i].mki_len);
		assert_int_equal(c->keys[0].key[0], 'Y'); /* "YS___semctl (" */
	}
}

static void a_line_may_hold_several_keys(void **state)
{
	const struct media_crypto *c = crypto_of(state, SUITE KEY1 "|2^20|1:4;" KEY2 "|2^20|2:4 FEC_ORDER=FEC_SRTP");

	assert_non_null(c);
	assert_int_equal(c->key_count, 2);
	assert_int_equal(c->keys[0].mki[3], 1);
	assert_int_equal(c->keys[1].mki[3], 2);
	assert_memory_equal(c->keys[1].key, "ABcdef123456789A", 16);
	c = crypto_of(state, SUITE KEY1 "|1:4;inline:AAAA|2:4;" KEY2 "|3:4;" KEY1 "|4:4;" KEY1 "|5:4;" KEY1 "|6:4");
	assert_int_equal(c->key_count, MEDIA_KEYS);
	assert_int_equal(c->keys[1].mki[3], 3);
}

/* S72 */
static void session_parameters_are_honoured_or_the_line_is_not(void **state)
{
	const struct media_crypto *c = crypto_of(state, SUITE KEY1 " UNENCRYPTED_SRTCP");
	static const char *const accepted[] = { "KDR=0", "-KDR=3", "-X=y", "FEC_ORDER=SRTP_FEC", "WSH=128",
		("FEC_KEY=" KEY2) };
	static const char *const skipped[] = { "NEW_THING", "KDR=25", "KDR=x", "KDR", "FEC_ORDER=NONE",
		"WSH=", "UNENCRYPTED", "FEC_KEY" };
	char crypto[256];

	assert_true(c->keys[0].unencrypted_srtcp);
	assert_false(c->keys[0].unencrypted_srtp);
	c = crypto_of(state, SUITE KEY1 " UNENCRYPTED_SRTP UNAUTHENTICATED_SRTP");
	assert_true(c->keys[0].unencrypted_srtp);
	assert_true(c->keys[0].unauthenticated_srtp);
	assert_false(c->keys[0].unencrypted_srtcp);
	for (size_t i = 0; i < ELEMENTS(accepted); i++) {
		snprintf(crypto, sizeof(crypto), SUITE KEY1 " %s", accepted[i]);
		c = crypto_of(state, crypto);
		if (c == NULL || c->key_count != 1)
			fail_msg("not accepted: %s", accepted[i]);
	}
	for (size_t i = 0; i < ELEMENTS(skipped); i++) {
		snprintf(crypto, sizeof(crypto), SUITE KEY1 " %s", skipped[i]);
		if (crypto_of(state, crypto) != NULL)
			fail_msg("not skipped: %s", skipped[i]);
	}
}

static void one_skipped_line_leaves_the_others(void **state)
{
	const struct media_line *line = line_of(state,
		"m=audio 4000 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY1
		" NEW_THING\na=crypto:x y z\na=crypto:\n"
		"a=crypto:1234567890 AES_CM_128_HMAC_SHA1_80 " KEY1 "\na=crypto:2 AES_CM_128_HMAC_SHA1_80 " KEY2 "\n");

	assert_int_equal(line->crypto_count, 1);
	assert_int_equal(line->cryptos[0].tag, 2);
	assert_int_equal(line->cryptos[0].key_count, 1);
}

static void a_suite_that_nothing_opens_is_said_so(void **state)
{
	static const char *const lines[] = { "1 F8_128_HMAC_SHA1_80 " KEY1, "1 F8_128_HMAC_SHA1_32 " KEY1,
		SUITE KEY1 " KDR=1", "1 SOMETHING_NEW inline:AAAA", SUITE KEY1 " KDR=24" };

	for (size_t i = 0; i < ELEMENTS(lines); i++) {
		const struct media_crypto *c = crypto_of(state, lines[i]);

		assert_non_null(c);
		assert_int_equal(c->suite, SUITE_UNSUPPORTED);
		assert_int_equal(c->key_count, 0);
		assert_int_equal(c->keys[0].key[0], 0);
	}
	assert_string_equal(crypto_of(state, lines[0])->suite_name, "F8_128_HMAC_SHA1_80");
}

static void malformed_material_leaves_a_line_without_a_key(void **state)
{
	static const char *const lines[] = { SUITE "inline:AAAA",
		SUITE "inline:", SUITE "inline:!VNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz", SUITE KEY1 "AAAA",
		SUITE "other:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
		SUITE "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz", SUITE KEY1 "|1:0", SUITE KEY1 "|1:129",
		SUITE KEY1 "|256:1", SUITE KEY1 "|x:4", SUITE KEY1 "|1:" };

	for (size_t i = 0; i < ELEMENTS(lines); i++) {
		const struct media_crypto *c = crypto_of(state, lines[i]);

		assert_non_null(c);
		assert_int_equal(c->suite, AES_CM_128_HMAC_SHA1_80);
		if (c->key_count != 0)
			fail_msg("a key in: %s", lines[i]);
		assert_int_equal(c->keys[0].key[0], 0);
	}
	assert_null(crypto_of(state, "1 AES_CM_128_HMAC_SHA1_80"));
}

static void what_does_not_fit_is_left_out_and_counted(void **state)
{
	struct buf b = { 0 };
	const struct media_desc *d;

	buf_text(&b, "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/SAVP");
	for (int i = 0; i < 100; i++)
		buf_printf(&b, " %d", i);
	for (int i = 0; i < MEDIA_CRYPTOS + 2; i++)
		buf_printf(&b, "\na=crypto:%d AES_CM_128_HMAC_SHA1_80 " KEY1, i + 1);
	for (int i = 0; i < MEDIA_SSRCS + 3; i++)
		buf_printf(&b, "\na=ssrc:%d x:y\na=candidate:1 1 UDP 1 10.0.0.1 %d typ host", i + 1, i + 1);
	for (int i = 1; i < MEDIA_LINES + 4; i++)
		buf_printf(&b, "\nm=video %d RTP/AVP 31\na=rtcp:5", 5000 + i);
	buf_add(&b, "\n", 2);
	d = described(state, (const char *)b.at);
	assert_int_equal(d->line_count, MEDIA_LINES);
	assert_int_equal(d->lines[0].format_count, MEDIA_FORMATS);
	assert_int_equal(d->lines[0].crypto_count, MEDIA_CRYPTOS);
	assert_int_equal(d->lines[0].ssrc_count, MEDIA_SSRCS);
	assert_int_equal(d->lines[0].candidate_count, MEDIA_CANDIDATES);
	assert_int_equal(d->lines[MEDIA_LINES - 1].rtp.port, 5000 + MEDIA_LINES - 1);
	assert_int_equal(d->left_out, 1 + 2 + 3 + 3 + 4);
	buf_clear(&b);
}

int main(void)
{
#define WITH_EAR(test) cmocka_unit_test_setup_teardown(test, open_ear, close_ear)
	const struct CMUnitTest tests[] = {
		WITH_EAR(each_line_has_its_own_port_address_and_keys),
		WITH_EAR(an_address_may_come_late_or_not_at_all),
		WITH_EAR(hold_is_a_direction_or_no_address),
		WITH_EAR(rtcp_goes_where_the_line_says),
		WITH_EAR(formats_have_names_of_the_line_or_the_standard),
		WITH_EAR(bundles_candidates_and_sources_are_noted),
		WITH_EAR(what_agrees_keys_elsewhere_is_noted),
		WITH_EAR(a_ticket_stands_before_a_message_that_carries_its_keys),
		WITH_EAR(crypto_is_read_whatever_the_profile),
		WITH_EAR(an_offer_of_four_suites_keeps_its_tags),
		WITH_EAR(padding_and_spelling_of_aes_256_do_not_matter),
		WITH_EAR(lifetime_and_mki_stand_in_any_company),
		WITH_EAR(a_line_may_hold_several_keys),
		WITH_EAR(session_parameters_are_honoured_or_the_line_is_not),
		WITH_EAR(one_skipped_line_leaves_the_others),
		WITH_EAR(a_suite_that_nothing_opens_is_said_so),
		WITH_EAR(malformed_material_leaves_a_line_without_a_key),
		WITH_EAR(what_does_not_fit_is_left_out_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
