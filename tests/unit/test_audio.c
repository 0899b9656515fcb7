/* audio: voices made by hand and by the encoders of others; the WAV file is read back sample by sample. */
#include "amr_sine.h"
#include "case_records.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/time.h>

#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>

#include "../../src/delivery/amr.h"
#include "../../src/delivery/confine.h"

enum { FRAME = 160 };

/* A WAV file in memory. */
struct heard {
	uint32_t rate;
	size_t frames;
	int16_t *left, *right;
};

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static struct heard hear(const struct scene *s)
{
	struct heard h = { 0 };
	struct buf file = { 0 };
	struct err err;
	char path[128];

	snprintf(path, sizeof(path), "%s/LI-A/call-0001/audio.wav", s->dir);
	assert_int_equal(file_read(path, 1 << 26, &file, &err), 0);
	assert_true(file.len >= 44);
	assert_memory_equal(file.at, "RIFF", 4);
	assert_memory_equal(file.at + 8, "WAVEfmt \x10\0\0\0\1\0\2\0", 16);
	assert_memory_equal(file.at + 32, "\4\0\20\0data", 8);
	assert_int_equal(le32(file.at + 4), file.len - 8);
	assert_int_equal(le32(file.at + 40), file.len - 44);
	h.rate = le32(file.at + 24);
	h.frames = (file.len - 44) / 4;
	h.left = calloc(h.frames + 1, sizeof(int16_t));
	h.right = calloc(h.frames + 1, sizeof(int16_t));
	for (size_t i = 0; i < h.frames; i++) {
		h.left[i] = (int16_t)(file.at[44 + 4 * i] | file.at[45 + 4 * i] << 8);
		h.right[i] = (int16_t)(file.at[46 + 4 * i] | file.at[47 + 4 * i] << 8);
	}
	buf_clear(&file);
	return h;
}

static void unhear(struct heard *h)
{
	free(h->left);
	free(h->right);
}

/* G.711 mu-law as its tables say: segments of 16 steps, bits inverted. */
static int16_t mulaw_value(uint8_t code)
{
	unsigned int segment, step;
	int value;

	code = (uint8_t)~code;
	segment = code >> 4 & 7;
	step = code & 15;
	value = (int)(((step << 1) + 33) << segment) - 33;
	return (int16_t)((code & 0x80 ? -value : value) * 4);
}

static uint8_t mulaw_code(int16_t sample)
{
	int best = 0, least = 1 << 20;

	for (int code = 0; code < 256; code++) {
		int off = abs(mulaw_value((uint8_t)code) - sample);

		if (off < least) {
			least = off;
			best = code;
		}
	}
	return (uint8_t)best;
}

/* Sample i of a sine of 400 Hz. */
static int16_t sine(size_t i, uint32_t rate)
{
	return (int16_t)lrint(8000 * sin(2 * 3.14159265358979323846 * 400 * (double)i / rate));
}

static void sine_frame(size_t number, uint8_t out[FRAME])
{
	for (size_t i = 0; i < FRAME; i++)
		out[i] = mulaw_code(sine(number * FRAME + i, 8000));
}

static struct packet_said spoken(struct scene *s, size_t number, uint8_t out[FRAME])
{
	sine_frame(number, out);
	return rtp_said(s, number, START + (nsec_t)number * 20 * MS, (struct bytes){ out, FRAME });
}

/* How much of the energy from `from` on lies at a frequency, 0 to 1 (Goertzel). */
static double share(const int16_t *samples, size_t from, size_t to, double frequency, uint32_t rate)
{
	double w = 2 * cos(2 * 3.14159265358979323846 * frequency / rate), a = 0, b = 0, energy = 1;

	for (size_t i = from; i < to; i++) {
		double next = samples[i] + w * a - b;

		b = a;
		a = next;
		energy += (double)samples[i] * samples[i];
	}
	return 2 * (a * a + b * b - w * a * b) / (energy * (double)(to - from));
}

static bool silent(const int16_t *samples, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (samples[i] != 0)
			return false;
	return true;
}

static void what_the_caller_says_is_left_sample_by_sample(void **state)
{
	struct scene *s = scene_new(1);
	uint8_t out[FRAME];
	struct heard h;

	(void)state;
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(take_packet(spoken(s, i, out)), 0);
	assert_int_equal(scene_finish(s), 0);
	h = hear(s);
	assert_int_equal(h.rate, 8000);
	assert_int_equal(h.frames, 50 * FRAME);
	for (size_t i = 0; i < h.frames; i++)
		assert_int_equal(h.left[i], mulaw_value(mulaw_code(sine(i, 8000))));
	assert_true(silent(h.right, 0, h.frames));
	unhear(&h);
	scene_free(s);
}

static void missing_packets_are_silence_and_jitter_is_not(void **state)
{
	struct scene *s = scene_new(1);
	uint8_t out[FRAME];
	struct heard h;

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		struct packet_said p = spoken(s, i, out);

		p.m.at += (nsec_t)(i * 37 % 100) * MS;
		if (i < 10 || i > 12)
			assert_int_equal(take_packet(p), 0);
	}
	assert_int_equal(scene_finish(s), 0);
	h = hear(s);
	assert_int_equal(h.frames, 30 * FRAME);
	assert_true(silent(h.left, 10 * FRAME, 13 * FRAME));
	for (size_t i = 0; i < h.frames; i++)
		if (i < 10 * FRAME || i >= 13 * FRAME)
			assert_int_equal(h.left[i], mulaw_value(mulaw_code(sine(i, 8000))));
	unhear(&h);
	scene_free(s);
}

static struct packet_said answered(struct packet_said p)
{
	p.m.flow = (struct flow){ p.m.flow.dst, p.m.flow.src };
	p.m.ssrc = 7;
	p.m.toward = TOWARD_CALLER;
	return p;
}

static void the_callee_is_right_and_begins_when_it_was_heard(void **state)
{
	struct scene *s = scene_new(1);
	uint8_t out[FRAME];
	struct heard h;

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		struct packet_said p = spoken(s, i, out);

		take_packet(p);
		p = answered(p);
		p.m.at += 100 * MS;
		p.m.timestamp += 0xffffff00; /* it wraps on the way */
		take_packet(p);
	}
	assert_int_equal(scene_finish(s), 0);
	h = hear(s);
	assert_int_equal(h.frames, 20 * FRAME + 800);
	assert_true(silent(h.right, 0, 800));
	for (size_t i = 0; i < 20 * FRAME; i++)
		assert_int_equal(h.right[800 + i], mulaw_value(mulaw_code(sine(i, 8000))));
	unhear(&h);
	scene_free(s);
}

static void a_voice_on_two_hops_of_a_relay_is_heard_once(void **state)
{
	struct scene *s = scene_new(1);
	uint8_t out[FRAME];
	struct heard h;

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		struct packet_said p = spoken(s, i, out);

		take_packet(p);
		p.m.flow = (struct flow){ host(12, 33000), host(13, 34000) };
		p.m.at += MS;
		take_packet(p);
		p.m.ssrc = 99; /* the same payloads under a number of its own */
		p.m.flow = (struct flow){ host(14, 33000), host(15, 34000) };
		take_packet(p);
	}
	assert_int_equal(scene_finish(s), 0);
	h = hear(s);
	assert_int_equal(h.frames, 20 * FRAME);
	for (size_t i = 0; i < h.frames; i++)
		assert_int_equal(h.left[i], mulaw_value(mulaw_code(sine(i, 8000))));
	unhear(&h);
	scene_free(s);
}

static void a_voice_that_moves_to_other_ports_goes_on(void **state)
{
	struct scene *s = scene_new(1);
	uint8_t out[FRAME];
	struct heard h;

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		struct packet_said p = spoken(s, i, out);

		p.m.flow.dst.port = i < 10 ? 32000 : 32008;
		take_packet(p);
	}
	assert_int_equal(scene_finish(s), 0);
	h = hear(s);
	assert_int_equal(h.frames, 20 * FRAME);
	assert_false(silent(h.left, 0, FRAME));
	assert_false(silent(h.left, 15 * FRAME, 16 * FRAME));
	unhear(&h);
	scene_free(s);
}

static void after_a_hold_without_timestamps_the_voice_is_where_it_came(void **state)
{
	struct scene *s = scene_new(1);
	uint8_t out[FRAME];
	struct heard h;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		struct packet_said p = spoken(s, i, out);

		p.m.at += i < 20 ? 0 : 5 * NSEC_PER_SEC;
		take_packet(p);
	}
	assert_int_equal(scene_finish(s), 0);
	h = hear(s);
	assert_int_equal(h.frames, 100 * FRAME + 40000);
	assert_true(silent(h.left, 20 * FRAME, 20 * FRAME + 40000));
	assert_false(silent(h.left, 20 * FRAME + 40000, 21 * FRAME + 40000));
	unhear(&h);
	scene_free(s);
}

static void timestamps_that_jump_ahead_do_not_lengthen_the_call(void **state)
{
	struct scene *s = scene_new(1);
	uint8_t out[FRAME];
	struct heard h;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		struct packet_said p = spoken(s, i, out);

		p.m.timestamp += i < 20 ? 0 : 80000000;
		take_packet(p);
	}
	assert_int_equal(scene_finish(s), 0);
	h = hear(s);
	assert_int_equal(h.frames, 100 * FRAME);
	for (size_t i = 0; i < h.frames; i++)
		assert_int_equal(h.left[i], mulaw_value(mulaw_code(sine(i, 8000))));
	unhear(&h);
	scene_free(s);
}

static void digits_and_comfort_noise_are_silence(void **state)
{
	struct scene *s = scene_new(1);
	uint8_t out[FRAME];
	struct heard h;

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct packet_said p = spoken(s, i, out);

		p.m.pt = i == 4 ? 101 : i == 5 ? 13 : 0;
		p.m.codec = i == 4 ? "telephone-event" : i == 5 ? "CN" : "PCMU";
		take_packet(p);
	}
	assert_int_equal(scene_finish(s), 0);
	h = hear(s);
	assert_int_equal(h.frames, 12 * FRAME);
	assert_true(silent(h.left, 4 * FRAME, 6 * FRAME));
	assert_false(silent(h.left, 6 * FRAME, 7 * FRAME));
	unhear(&h);
	scene_free(s);
}

static void the_highest_rate_is_used(void **state)
{
	struct scene *s = scene_new(1);
	struct heard h;

	(void)state;
	for (size_t i = 0; i < 50; i++) {
		uint8_t out[FRAME], wide[640];
		struct packet_said p = spoken(s, i, out);

		take_packet(p);
		p = answered(p);
		p.m.codec = "L16";
		p.m.pt = 96;
		p.m.clock = 16000;
		p.m.timestamp *= 2;
		for (size_t j = 0; j < 320; j++)
			put_be16(wide + 2 * j, (uint16_t)sine(i * 320 + j, 16000));
		p.media = (struct bytes){ wide, sizeof(wide) };
		take_packet(p);
	}
	assert_int_equal(scene_finish(s), 0);
	h = hear(s);
	assert_int_equal(h.rate, 16000);
	assert_true(h.frames >= 50 * 320 - 2 && h.frames <= 50 * 320 + 64);
	for (size_t i = 0; i < 50 * 320; i++)
		assert_int_equal(h.right[i], sine(i, 16000));
	assert_true(share(h.left, 1600, 14400, 400, 16000) > 0.99);
	unhear(&h);
	scene_free(s);
}

static bool has_sound(const struct scene *s)
{
	return there(s, "LI-A/call-0001/audio.wav");
}

static void an_unknown_codec_makes_no_file_and_no_failure(void **state)
{
	struct scene *s = scene_new(1);
	uint8_t out[FRAME];
	struct packet_said p = spoken(s, 1, out);

	(void)state;
	p.m.codec = "EVS";
	take_packet(p);
	assert_int_equal(scene_finish(s), 0);
	assert_false(has_sound(s));
	assert_true(there(s, "LI-A/call-0001/media.pcap"));
	scene_free(s);
}

static void neither_video_nor_sealed_streams_make_a_file(void **state)
{
	struct scene *s = scene_new(1);
	uint8_t out[FRAME];
	struct packet_said p = spoken(s, 1, out);

	(void)state;
	p.m.kind = "video";
	take_packet(p);
	p = answered(spoken(s, 2, out));
	p.m.fate = MEDIA_SEALED;
	p.m.reason = SEAL_NO_KEY;
	p.m.key_used = false;
	take_packet(p);
	assert_int_equal(scene_finish(s), 0);
	assert_false(has_sound(s));
	scene_free(s);
}

/* A second of the sine, by an encoder of libavcodec's, as packets of a stream. */
static void say_in(struct scene *s, const char *encoder, int rate, int bits, const char *codec, uint32_t clock)
{
	const AVCodec *found = avcodec_find_encoder_by_name(encoder);
	AVCodecContext *e = avcodec_alloc_context3(found);
	AVFrame *f = av_frame_alloc();
	AVPacket *out = av_packet_alloc();
	size_t sent = 0;
	uint64_t index = 0;

	assert_non_null(found);
	e->sample_rate = rate;
	e->sample_fmt = AV_SAMPLE_FMT_S16;
	e->bits_per_coded_sample = bits;
	e->bit_rate = bits != 0 ? rate * bits : 0;
	av_channel_layout_default(&e->ch_layout, 1);
	assert_int_equal(avcodec_open2(e, found, NULL), 0);
	f->nb_samples = e->frame_size > 0 && e->frame_size <= rate / 50 ? e->frame_size : rate / 50;
	f->format = AV_SAMPLE_FMT_S16;
	av_channel_layout_default(&f->ch_layout, 1);
	f->sample_rate = rate;
	assert_int_equal(av_frame_get_buffer(f, 0), 0);
	while (sent < (size_t)rate) {
		av_frame_make_writable(f);
		for (int i = 0; i < f->nb_samples; i++)
			((int16_t *)(void *)f->data[0])[i] = sine(sent + (size_t)i, (uint32_t)rate);
		f->pts = (int64_t)sent;
		sent += (size_t)f->nb_samples;
		assert_int_equal(avcodec_send_frame(e, f), 0);
		while (avcodec_receive_packet(e, out) == 0) {
			nsec_t at = START + (nsec_t)index * f->nb_samples * NSEC_PER_SEC / rate;
			struct packet_said p = rtp_said(s, index, at, (struct bytes){ out->data, (size_t)out->size });

			p.m.pt = 97;
			p.m.codec = codec;
			p.m.clock = clock;
			p.m.timestamp = (uint32_t)(index++ * (uint64_t)f->nb_samples * clock / (uint64_t)rate);
			assert_int_equal(take_packet(p), 0);
			av_packet_unref(out);
		}
	}
	av_packet_free(&out);
	av_frame_free(&f);
	avcodec_free_context(&e);
}

static void every_codec_that_others_encode_is_heard(void **state)
{
	static const struct {
		const char *encoder;
		int rate, bits;
		const char *codec;
		uint32_t clock, out_rate;
	} codecs[] = {
		{ "pcm_alaw", 8000, 0, "PCMA", 8000, 8000 },
		{ "g722", 16000, 0, "G722", 8000, 16000 },
		{ "libgsm", 8000, 0, "GSM", 8000, 8000 },
		{ "libopus", 48000, 0, "opus", 48000, 48000 },
		{ "g726le", 8000, 4, "G726-32", 8000, 8000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		struct scene *s = scene_new(1);
		struct heard h;

		say_in(s, codecs[i].encoder, codecs[i].rate, codecs[i].bits, codecs[i].codec, codecs[i].clock);
		assert_int_equal(scene_finish(s), 0);
		assert_true(has_sound(s));
		h = hear(s);
		assert_int_equal(h.rate, codecs[i].out_rate);
		assert_true(h.frames > h.rate * 9 / 10 && h.frames < h.rate * 11 / 10);
		assert_true(share(h.left, h.rate / 5, h.rate * 4 / 5, 400, h.rate) > 0.95);
		unhear(&h);
		scene_free(s);
	}
}

/* Bits behind one another, as bandwidth-efficient payloads have them. */
static void put_bits(uint8_t *out, size_t *at, const uint8_t *from, size_t bits)
{
	for (size_t i = 0; i < bits; i++, ++*at)
		out[*at / 8] |= (uint8_t)((from[i / 8] >> (7 - i % 8) & 1) << (7 - *at % 8));
}

/* Frames of AMR as packets: `each` of them in one, bandwidth-efficient or octet-aligned (RFC 4867 4.3, 4.4). */
static void say_amr(struct scene *s, const char *const frames[25], bool wide, bool aligned, size_t each)
{
	size_t bits = wide ? 253 : 244;

	for (size_t i = 0; i + each <= 25; i += each) {
		uint8_t payload[256] = { 0 }, frame[40];
		size_t at = aligned ? 8 : 4;
		struct packet_said p = rtp_said(s, i / each, START + (nsec_t)i * 20 * MS, (struct bytes){ payload, 0 });

		payload[0] = 0xf0;
		for (size_t j = 0; j < each; j++) {
			text_unhex(bytes_of(frames[i + j]), frame, sizeof(frame));
			frame[0] |= j + 1 < each ? 0x80 : 0;
			put_bits(payload, &at, frame, aligned ? 8 : 6);
		}
		for (size_t j = 0; j < each; j++) {
			text_unhex(bytes_of(frames[i + j]), frame, sizeof(frame));
			put_bits(payload, &at, frame + 1, bits);
			at = aligned ? (at + 7) / 8 * 8 : at;
		}
		p.media.len = (at + 7) / 8;
		p.m.pt = 98;
		p.m.codec = wide ? "AMR-WB" : "AMR";
		p.m.clock = wide ? 16000 : 8000;
		p.m.fmtp = aligned ? "mode-change-capability=2;octet-align=1" : "mode-change-capability=2";
		p.m.timestamp = (uint32_t)(i * (wide ? 320 : 160));
		assert_int_equal(take_packet(p), 0);
	}
}

static void amr_is_heard_in_both_layouts(void **state)
{
	(void)state;
	for (unsigned int way = 0; way < 8; way++) {
		bool wide = (way & 1) != 0, aligned = (way & 2) != 0;
		struct scene *s = scene_new(1);
		struct heard h;

		say_amr(s, wide ? amr_sine_wide : amr_sine_narrow, wide, aligned, (way & 4) != 0 ? 5 : 1);
		assert_int_equal(scene_finish(s), 0);
		h = hear(s);
		assert_int_equal(h.rate, wide ? 16000 : 8000);
		assert_int_equal(h.frames, h.rate / 2);
		assert_true(share(h.left, h.rate / 10, h.rate / 2, 400, h.rate) > 0.95);
		unhear(&h);
		scene_free(s);
	}
}

/* RFC 4867 4.3.5.1: one frame of AMR 7.4 kbit/s, bandwidth-efficient: 4 bits of mode request (none, 15), F=0,
 * FT=4, Q=1, 148 bits of speech, 2 of padding. */
static void a_bandwidth_efficient_amr_frame_is_found_bit_by_bit(void **state)
{
	struct amr_frame out[AMR_FRAMES];
	uint8_t payload[20], speech[19] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(speech); i++)
		speech[i] = (uint8_t)(i * 29 + 7);
	speech[18] &= 0xf0; /* 148 bits */
	payload[0] = 0xf2;  /* 1111 0 010 */
	payload[1] = 0x40;  /* 0 1: end of FT 0100, Q 1 */
	for (size_t i = 0; i < 148; i++) {
		size_t at = 10 + i;

		if (at % 8 == 0)
			payload[at / 8] = 0;
		payload[at / 8] |= (uint8_t)((speech[i / 8] >> (7 - i % 8) & 1) << (7 - at % 8));
	}
	assert_int_equal(amr_split((struct bytes){ payload, 20 }, false, false, out), 1);
	assert_int_equal(out[0].len, 20);
	assert_int_equal(out[0].octets[0], 4 << 3 | 1 << 2);
	assert_memory_equal(out[0].octets + 1, speech, 19);
	assert_int_equal(amr_split((struct bytes){ payload, 19 }, false, false, out), 0);
}

/* Section 4.4: octet-aligned, two frames of AMR-WB 6.60 (132 bits) with one without data between them. */
static void octet_aligned_amr_frames_are_found(void **state)
{
	struct amr_frame out[AMR_FRAMES];
	uint8_t payload[4 + 17 + 17] = { 0xf0, 0x84, 0xfc, 0x04 };

	(void)state;
	memset(payload + 4, 0xaa, 17);
	memset(payload + 21, 0xbb, 17);
	payload[20] = 0xa0;
	payload[37] = 0xb0;
	assert_int_equal(amr_split((struct bytes){ payload, sizeof(payload) }, true, true, out), 3);
	assert_int_equal(out[0].len, 18);
	assert_int_equal(out[0].octets[0], 0x04);
	assert_memory_equal(out[0].octets + 1, payload + 4, 17);
	assert_int_equal(out[1].len, 0);
	assert_memory_equal(out[2].octets + 1, payload + 21, 17);
	assert_true(amr_aligned("mode-set=0,2; octet-align=1"));
	assert_false(amr_aligned("mode-set=0,2"));
	assert_true(amr_refused("interleaving=30", 1));
}

/* The program tests/support/confined_try does as it is told, or dies of it. */
static void a_confined_process_talks_and_does_nothing_else(void **state)
{
	static const char *const forbidden[] = { "open", "map code", "write elsewhere", "fork", "socket" };
	struct confined c;
	char got[5] = "";

	(void)state;
	assert_true(confined_start(&c, "otway-confined-try"));
	assert_true(confined_send(&c, bytes_of("e")));
	assert_true(confined_receive(&c, got, 4));
	assert_string_equal(got, "echo");
	confined_end(&c);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		assert_true(confined_start(&c, "otway-confined-try"));
		assert_true(confined_send(&c, (struct bytes){ (const uint8_t *)forbidden[i], 1 }));
		assert_false(confined_receive(&c, got, 1));
		confined_end(&c);
	}
	assert_false(confined_start(&c, "otway-there-is-none"));
}

/* Every child there is at this moment. */
static void kill_children(int signal_number)
{
	char path[64], text[64];
	int fd;
	ssize_t n;

	(void)signal_number;
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	if (n > 0) {
		text[n] = '\0';
		kill((pid_t)strtol(text, NULL, 10), SIGKILL);
	}
	if (fd >= 0)
		close(fd);
}

static void a_decoder_that_dies_costs_the_sound_only(void **state)
{
	struct scene *s = scene_new(1);
	struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
	uint8_t out[FRAME] = { 0 };
	json_t *root;

	(void)state;
	for (size_t i = 0; i < 20000; i++)
		assert_int_equal(
			take_packet(rtp_said(s, i, START + (nsec_t)i * 20 * MS, (struct bytes){ out, FRAME })), 0);
	signal(SIGALRM, kill_children);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_int_equal(scene_finish(s), 0);
	setitimer(ITIMER_REAL, &never, NULL);
	assert_false(has_sound(s));
	root = read_case(s, "LI-A");
	assert_int_equal(json_integer_value(json_at(root, "counters.audio_failed")), 1);
	assert_int_equal(json_integer_value(json_at(root, "calls.0.streams.0.decrypted")), 20000);
	json_decref(root);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_caller_says_is_left_sample_by_sample),
		cmocka_unit_test(missing_packets_are_silence_and_jitter_is_not),
		cmocka_unit_test(the_callee_is_right_and_begins_when_it_was_heard),
		cmocka_unit_test(a_voice_on_two_hops_of_a_relay_is_heard_once),
		cmocka_unit_test(a_voice_that_moves_to_other_ports_goes_on),
		cmocka_unit_test(after_a_hold_without_timestamps_the_voice_is_where_it_came),
		cmocka_unit_test(timestamps_that_jump_ahead_do_not_lengthen_the_call),
		cmocka_unit_test(digits_and_comfort_noise_are_silence),
		cmocka_unit_test(the_highest_rate_is_used),
		cmocka_unit_test(an_unknown_codec_makes_no_file_and_no_failure),
		cmocka_unit_test(neither_video_nor_sealed_streams_make_a_file),
		cmocka_unit_test(every_codec_that_others_encode_is_heard),
		cmocka_unit_test(amr_is_heard_in_both_layouts),
		cmocka_unit_test(a_bandwidth_efficient_amr_frame_is_found_bit_by_bit),
		cmocka_unit_test(octet_aligned_amr_frames_are_found),
		cmocka_unit_test(a_confined_process_talks_and_does_nothing_else),
		cmocka_unit_test(a_decoder_that_dies_costs_the_sound_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
