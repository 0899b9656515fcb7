/*
 * plausible: whether RTP was never encrypted. Payloads come from the encoders of libavcodec and from the examples of the
 * payload formats; ciphertext is AES in counter mode by OpenSSL, with the trailers that SRTP adds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/log.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../src/media/plausible.h"
#include "../support/srtp_sender.h"
#include "otway/base/text.h"

#define PACKETS 400

struct heard {
	uint8_t octets[1500];
	size_t len;
	uint32_t timestamp;
};

static struct heard heard[PACKETS];
static size_t heard_count;

static struct media_format format_of(const char *name, uint32_t clock, const char *fmtp)
{
	struct media_format f = { .pt = 96, .clock = clock, .channels = 1 };

	snprintf(f.name, sizeof(f.name), "%s", name);
	snprintf(f.fmtp, sizeof(f.fmtp), "%s", fmtp);
	return f;
}

static struct framing look(const char *name, const char *fmtp, const char *hex)
{
	struct media_format f = format_of(name, 8000, fmtp);
	uint8_t octets[512];
	long len = text_unhex(bytes_of(hex), octets, sizeof(octets));

	assert_true(len >= 0);
	return framing_of(&f, (struct bytes){ octets, (size_t)len });
}

static bool fits(const char *name, const char *fmtp, const char *hex)
{
	return look(name, fmtp, hex).fits;
}

/* --- the rules of payload formats --- */

/* The hex of a few octets, and as many that are 0 behind them. */
static const char *filled(const char *head, size_t zeroes)
{
	static char hex[512];

	snprintf(hex, sizeof(hex), "%s%0*d", head, (int)zeroes * 2, 0);
	return hex;
}

static void amr_is_known_by_its_table_of_contents(void **state)
{
	(void)state;
	/* RFC 4867 4.3: one frame of AMR 7.4 (type 4, 148 bits), packed: 4 + 6 + 148 bits are 20 octets */
	assert_true(fits("AMR", "", filled("f240", 18)));
	assert_int_equal(look("AMR", "", filled("f240", 18)).ticks, 160);
	assert_false(fits("AMR", "", filled("f240", 19)));
	assert_false(fits("AMR", "", filled("f240", 17)));
	/* 4.4: octet-aligned, two frames of AMR 5.9 (type 2, 118 bits: 15 octets each) */
	assert_true(fits("AMR", "octet-align=1", filled("f09414", 30)));
	assert_int_equal(look("AMR", "octet-align=1", filled("f09414", 30)).ticks, 320);
	assert_false(fits("AMR", "octet-align=1", filled("f09414", 34)));
	assert_false(fits("AMR", "octet-align=1", filled("f19414", 30)));
	/* AMR-WB 6.6 (type 0, 132 bits), packed: 142 bits are 18 octets */
	assert_true(fits("AMR-WB", "", filled("f040", 16)));
	assert_int_equal(look("AMR-WB", "", filled("f040", 16)).ticks, 320);
	assert_false(fits("AMR-WB", "", filled("f040", 26)));
	assert_false(fits("AMR", "", ""));
	assert_false(fits("AMR", "", "ff"));
}

static void opus_packets_obey_rfc_6716(void **state)
{
	(void)state;
	assert_true(fits("opus", "", "78"));                    /* code 0, no octets: DTX */
	assert_int_equal(look("opus", "", "7801").ticks, 960);  /* hybrid, 20 ms */
	assert_int_equal(look("opus", "", "f8ff").ticks, 960);  /* CELT, 20 ms */
	assert_int_equal(look("opus", "", "18ff").ticks, 2880); /* SILK, 60 ms */
	assert_true(fits("opus", "", "79aabb"));                /* R3: two equal frames */
	assert_false(fits("opus", "", "79aabbcc"));
	assert_true(fits("opus", "", "7a01aabb")); /* R4: two frames, the first of one octet */
	assert_false(fits("opus", "", "7a05aabb"));
	assert_false(fits("opus", "", "7b")); /* R6, R7: code 3 */
	assert_false(fits("opus", "", "7b00"));
	assert_true(fits("opus", "", "7b02aabb"));
	assert_false(fits("opus", "", "7b02aabbcc"));
	assert_true(fits("opus", "", "7b4201aabb00")); /* one octet of padding */
	assert_true(fits("opus", "", "7b8201aabbcc")); /* variable */
	assert_false(fits("opus", "", "1b03aabbcc"));  /* R5: three of 60 ms are too long */
	assert_false(fits("opus", "", "7b7f"));        /* 63 frames */
	assert_false(fits("opus", "", ""));
}

static void frames_of_one_size_have_that_size(void **state)
{
	char hex[512] = "";

	(void)state;
	for (int i = 0; i < 33; i++)
		strcat(hex, i == 0 ? "d5" : "00");
	assert_true(fits("GSM", "", hex));
	hex[0] = 'c';
	assert_false(fits("GSM", "", hex));
	hex[0] = 'd';
	assert_false(fits("GSM", "", strcat(hex, "00000000000000000000"))); /* a tag */
	assert_true(fits("G729", "", "00112233445566778899"));
	assert_true(fits("G729", "", "001122334455667788990011")); /* and a silence descriptor */
	assert_false(fits("G729", "", "00112233445566778899001122"));
	assert_int_equal(look("G729", "", "00112233445566778899").ticks, 80);
	assert_true(fits("G723", "", "03"));
	assert_true(fits("G723", "", "0200000003"));
	assert_false(fits("G723", "", "020000"));
	assert_int_equal(look("L16", "", "00112233").ticks, 2);
	assert_false(fits("L16", "", "001122"));
}

static void events_and_comfort_noise_are_short_and_strict(void **state)
{
	(void)state;
	assert_true(fits("telephone-event", "", "050a00a0"));
	assert_true(look("telephone-event", "", "050a00a0").beside);
	assert_false(fits("telephone-event", "", "054a00a0"));
	assert_false(fits("telephone-event", "", "050a00a000112233"));
	assert_false(fits("telephone-event", "", "050a00a000112233445566778899"));
	assert_true(fits("CN", "", "3c"));
	assert_false(fits("CN", "", "bc"));
	assert_false(fits("CN", "", ""));
}

static void video_units_have_their_reserved_bits_clear(void **state)
{
	(void)state;
	assert_true(fits("H264", "", "6742c01e"));
	assert_false(fits("H264", "", "e742c01e")); /* forbidden_zero_bit */
	assert_true(fits("H264", "", "7c85aabb"));  /* the first fragment */
	assert_false(fits("H264", "", "7cc5aabb")); /* first and last */
	assert_true(fits("H264", "", "1800026742000168"));
	assert_false(fits("H264", "", "180002674200026842ff"));
	assert_false(fits("H264", "", "6042c01e"));
	assert_true(fits("H265", "", "40010c01"));
	assert_false(fits("H265", "", "40000c01")); /* temporal id 0 */
	assert_true(fits("VP8", "", "1000"));
	assert_false(fits("VP8", "", "5000"));
	assert_false(fits("VP8", "", "9001"));
}

static void an_unknown_format_has_no_rules(void **state)
{
	(void)state;
	assert_true(framing_of(NULL, (struct bytes){ NULL, 0 }).fits);
	assert_true(fits("EVS", "", "00"));
}

/* --- real payloads --- */

/* Something like speech at that rate: pitch, formant, syllables and a little noise. */
static int16_t speech(uint32_t i, uint32_t rate)
{
	static uint32_t noise = 1;
	uint32_t ms = (uint32_t)((uint64_t)i * 1000 / rate), loud = ms % 400 < 250 ? 12 + ms % 7 : 1;
	int32_t pitch = (int32_t)(i % (rate / (110 + ms / 200 % 40))) * 400 / (int32_t)(rate / 110) - 200;
	int32_t formant = (int32_t)(i % (rate / 730)) * 300 / (int32_t)(rate / 730) - 150;

	noise = noise * 1103515245 + 12345;
	return (int16_t)((pitch + formant) * (int32_t)loud + (int32_t)(noise >> 24));
}

static void encode_into(AVCodecContext *c, AVPacket *packet, uint32_t *timestamp, uint32_t ticks)
{
	while (heard_count < PACKETS && avcodec_receive_packet(c, packet) == 0) {
		struct heard *h = &heard[heard_count++];

		assert_in_range(packet->size, 1, sizeof(h->octets));
		memcpy(h->octets, packet->data, (size_t)packet->size);
		h->len = (size_t)packet->size;
		h->timestamp = *timestamp;
		*timestamp += ticks;
		av_packet_unref(packet);
	}
}

static void encode(const char *encoder, int rate, uint32_t clock)
{
	const AVCodec *codec = avcodec_find_encoder_by_name(encoder);
	AVCodecContext *c = avcodec_alloc_context3(codec);
	AVPacket *packet = av_packet_alloc();
	AVFrame *frame = av_frame_alloc();
	uint32_t at = 0, timestamp = 1000;

	assert_non_null(codec);
	c->sample_rate = frame->sample_rate = rate;
	c->bit_rate = strcmp(encoder, "libgsm") == 0 ? 13000 : 32000;
	c->sample_fmt = AV_SAMPLE_FMT_S16;
	frame->format = AV_SAMPLE_FMT_S16;
	av_channel_layout_default(&c->ch_layout, 1);
	av_channel_layout_default(&frame->ch_layout, 1);
	assert_int_equal(avcodec_open2(c, codec, NULL), 0);
	frame->nb_samples = c->frame_size > 0 && c->frame_size <= rate / 25 ? c->frame_size : rate / 50;
	assert_int_equal(av_frame_get_buffer(frame, 0), 0);
	for (heard_count = 0; heard_count < PACKETS; at += (uint32_t)frame->nb_samples) {
		av_frame_make_writable(frame);
		for (uint32_t i = 0; i < (uint32_t)frame->nb_samples; i++)
			((int16_t *)(void *)frame->data[0])[i] = speech(at + i, (uint32_t)rate);
		frame->pts = at;
		assert_int_equal(avcodec_send_frame(c, frame), 0);
		encode_into(c, packet, &timestamp, (uint32_t)((uint64_t)frame->nb_samples * clock / (uint32_t)rate));
	}
	av_frame_free(&frame);
	av_packet_free(&packet);
	avcodec_free_context(&c);
}

static void add(struct plausible *p, const struct media_format *f, size_t i, struct bytes media, size_t mki)
{
	plausible_add(p, f, 96, (uint16_t)(65500 + i), heard[i].timestamp, media, mki);
}

static const struct {
	const char *encoder, *name;
	int rate;
	uint32_t clock;
} codecs[] = {
	{ "pcm_mulaw", "PCMU", 8000, 8000 },
	{ "pcm_alaw", "PCMA", 8000, 8000 },
	{ "g722", "G722", 16000, 8000 },
	{ "pcm_s16be", "L16", 16000, 16000 },
	{ "libgsm", "GSM", 8000, 8000 },
	{ "libopus", "opus", 48000, 48000 },
	{ "libspeex", "speex", 8000, 8000 },
};

#define CODECS (sizeof(codecs) / sizeof(codecs[0]))

static void what_encoders_make_is_plausible_after_a_second(void **state)
{
	(void)state;
	for (size_t c = 0; c < CODECS; c++) {
		struct media_format f = format_of(codecs[c].name, codecs[c].clock, "");
		struct plausible *known = calloc(1, sizeof(*known)), *unknown = calloc(1, sizeof(*unknown));

		encode(codecs[c].encoder, codecs[c].rate, codecs[c].clock);
		for (size_t i = 0; i < 150; i++) {
			struct bytes media = { heard[i].octets, heard[i].len };

			assert_true(framing_of(&f, media).fits);
			if (i < 50)
				add(known, &f, i, media, 0);
			add(unknown, NULL, i, media, 0);
		}
		assert_true(plausible_clear(known, false));
		assert_int_equal(known->broken, 0);
		assert_true(plausible_clear(unknown, false)); /* later, when no description was seen */
		for (size_t i = 50; i < 100; i++)
			assert_true(plausible_usual(
				&known->usual, &f, (struct bytes){ heard[i].octets, heard[i].len }, true));
		free(known);
		free(unknown);
	}
}

/* The payload encrypted, and a trailer of `tag` octets at random behind an MKI. */
static size_t seal(const struct heard *h, uint32_t packet, size_t mki, size_t tag, uint8_t *out)
{
	static const uint8_t key[16] = { 1, 2, 3 };
	uint8_t plain[1700] = { 0 }, block[16] = { 0 };

	put_be32(block, packet);
	put_be32(block + 4, (uint32_t)(mki << 8 | tag));
	memcpy(plain, h->octets, h->len);
	sender_counter(key, 16, block, plain, h->len + mki + tag, out);
	memset(out + h->len, 1, mki);
	return h->len + mki + tag;
}

static void ciphertext_is_never_plausible(void **state)
{
	static const struct {
		size_t mki, tag;
		bool told; /* that there is an MKI */
	} trailers[] = { { 0, 0, false }, { 0, 4, false }, { 0, 10, false }, { 0, 16, false }, { 1, 4, false },
		{ 4, 10, false }, { 4, 10, true }, { 30, 10, true }, { 128, 16, true } };

	(void)state;
	for (size_t c = 0; c < CODECS; c++) {
		struct media_format f = format_of(codecs[c].name, codecs[c].clock, "");

		encode(codecs[c].encoder, codecs[c].rate, codecs[c].clock);
		for (size_t t = 0; t < sizeof(trailers) / sizeof(trailers[0]); t++) {
			struct plausible *known = calloc(1, sizeof(*known)), *unknown = calloc(1, sizeof(*unknown));

			for (size_t i = 0; i < PACKETS; i++) {
				uint8_t sealed[1700];
				struct bytes media = { sealed, seal(&heard[i], (uint32_t)(c * PACKETS + i),
								       trailers[t].mki, trailers[t].tag, sealed) };

				add(known, &f, i, media, trailers[t].told ? trailers[t].mki : 0);
				add(unknown, NULL, i, media, trailers[t].told ? trailers[t].mki : 0);
				assert_false(plausible_clear(known, false));
				assert_false(plausible_clear(unknown, false));
			}
			assert_false(plausible_clear(known, true));
			free(known);
			free(unknown);
		}
	}
}

static void a_constant_mki_behind_short_ciphertext_is_no_sign_of_speech(void **state)
{
	static const uint8_t key[16] = { 7 }, plain[32];

	(void)state;
	for (size_t len = 1; len <= 18; len++) {
		struct media_format f = format_of("EVS", 16000, ""); /* no rule is known of it */
		struct plausible *p = calloc(1, sizeof(*p));

		for (size_t i = 0; i < PACKETS; i++) {
			uint8_t block[16] = { (uint8_t)len, (uint8_t)(i >> 8), (uint8_t)i }, sealed[64];

			heard[i].timestamp = (uint32_t)i * 320;
			sender_counter(key, 16, block, plain, sizeof(plain), sealed);
			memset(sealed + len, 0, 3); /* RFC 3711 3.1: the MKI, then the tag */
			sealed[len + 3] = 1;
			add(p, &f, i, (struct bytes){ sealed, len + 4 + 10 }, 0);
			assert_false(plausible_clear(p, false));
		}
		free(p);
	}
}

static void speech_with_a_tag_behind_it_is_not_clear(void **state)
{
	struct media_format f = format_of("PCMU", 8000, "");
	struct plausible *p = calloc(1, sizeof(*p));

	(void)state;
	encode("pcm_mulaw", 8000, 8000);
	for (size_t i = 0; i < 50; i++) {
		memset(heard[i].octets + heard[i].len, (int)(i * 37), 10);
		add(p, &f, i, (struct bytes){ heard[i].octets, heard[i].len + 10 }, 0);
	}
	assert_false(plausible_clear(p, true));
	free(p);
}

static void a_short_stream_is_judged_by_what_there_is(void **state)
{
	struct media_format f = format_of("PCMU", 8000, "");
	struct plausible *p = calloc(1, sizeof(*p));

	(void)state;
	encode("pcm_mulaw", 8000, 8000);
	for (size_t i = 0; i < 3; i++)
		add(p, &f, i, (struct bytes){ heard[i].octets, heard[i].len }, 0);
	assert_true(plausible_clear(p, true));
	memset(p, 0, sizeof(*p));
	assert_false(plausible_clear(p, true)); /* nothing shows nothing */
	free(p);
}

static void what_begins_to_encrypt_is_unusual_at_once(void **state)
{
	static const char *const sized[] = { "pcm_mulaw", "PCMU", "libgsm", "GSM", "g722", "G722" };

	(void)state;
	for (size_t c = 0; c < 6; c += 2) {
		struct media_format f = format_of(sized[c + 1], 8000, "");
		struct plausible *p = calloc(1, sizeof(*p));

		encode(sized[c], strcmp(sized[c], "g722") == 0 ? 16000 : 8000, 8000);
		for (size_t i = 0; i < 50; i++)
			add(p, &f, i, (struct bytes){ heard[i].octets, heard[i].len }, 0);
		for (size_t i = 50; i < PACKETS; i++) {
			uint8_t sealed[1700];
			size_t tag = (size_t[]){ 4, 10, 16 }[i % 3], len = seal(&heard[i], (uint32_t)i, 0, tag, sealed);

			assert_true(
				plausible_usual(&p->usual, &f, (struct bytes){ heard[i].octets, heard[i].len }, false));
			assert_false(plausible_usual(&p->usual, &f, (struct bytes){ sealed, len }, false));
			assert_false(plausible_usual(&p->usual, &f, (struct bytes){ sealed, len }, true));
		}
		free(p);
	}
}

static void digits_alone_are_plausible(void **state)
{
	struct media_format f = format_of("telephone-event", 8000, "");
	struct plausible *p = calloc(1, sizeof(*p));

	(void)state;
	for (uint8_t i = 0; i < 12; i++) {
		uint8_t event[4] = { 5, i < 9 ? 10 : 0x8a, (uint8_t)(i * 160 >> 8), (uint8_t)(i * 160) };

		plausible_add(p, &f, 101, i, 4000, (struct bytes){ event, 4 }, 0);
	}
	assert_true(plausible_clear(p, true));
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amr_is_known_by_its_table_of_contents),
		cmocka_unit_test(opus_packets_obey_rfc_6716),
		cmocka_unit_test(frames_of_one_size_have_that_size),
		cmocka_unit_test(events_and_comfort_noise_are_short_and_strict),
		cmocka_unit_test(video_units_have_their_reserved_bits_clear),
		cmocka_unit_test(an_unknown_format_has_no_rules),
		cmocka_unit_test(what_encoders_make_is_plausible_after_a_second),
		cmocka_unit_test(ciphertext_is_never_plausible),
		cmocka_unit_test(a_constant_mki_behind_short_ciphertext_is_no_sign_of_speech),
		cmocka_unit_test(speech_with_a_tag_behind_it_is_not_clear),
		cmocka_unit_test(a_short_stream_is_judged_by_what_there_is),
		cmocka_unit_test(what_begins_to_encrypt_is_unusual_at_once),
		cmocka_unit_test(digits_alone_are_plausible),
	};

	av_log_set_level(AV_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
