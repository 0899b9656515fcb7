/* pipeline: a call whose keys a KMS has, from frames to records, in virtual time: the KMS at once, slow, down, refusing, silent. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../support/media_scene.h"
#include "otway/model/key.h"
#include "otway/pipeline.h"

#define LINK_RAW 101
#define RECORDS  8192
#define A        "sip:alice@ims.example"
#define B        "sip:bob@ims.example"
#define INIT     "a=key-mgmt:mikey AQ4BAQ==\r\n" /* version 1, TRANSFER_INIT */
#define RESP     "a=key-mgmt:mikey AQ8CAg==\r\n" /* version 1, TRANSFER_RESP */
#define FORGED   "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"

struct told {
	nsec_t at;
	uint64_t index;
	enum media_fate fate;
	enum seal_reason reason;
	enum key_source source;
};

struct line {
	struct pipeline *p;
	nsec_t now;
	struct voice voice;
	struct srtp_key key;
	struct told told[RECORDS];
	size_t count, sent, over;
	uint64_t wanted; /* the last number; 0: none */
};

static void draw(struct line *l)
{
	const struct record *r;

	while (pipeline_next(l->p, &r)) {
		if (r->kind == RECORD_KEY_WANTED)
			l->wanted = r->wanted->number;
		l->over += r->kind == RECORD_CALL_OVER;
		if (r->kind != RECORD_MEDIA || r->media.sort != MEDIA_RTP)
			continue;
		assert_true(l->count < RECORDS);
		l->told[l->count++] =
			(struct told){ r->media.at, r->media.index, r->media.fate, r->media.reason, r->media.source };
	}
}

/* An IPv4 packet with a UDP datagram. */
static void send(struct line *l, const struct addr *src, const struct addr *dst, const void *payload, size_t len)
{
	uint8_t p[2048] = { 0x45 };
	struct frame f = { .at = l->now, .link = LINK_RAW, .wire_len = (uint32_t)(28 + len), .bytes = { p, 28 + len } };

	assert_true(28 + len <= sizeof(p));
	put_be16(p + 2, (uint16_t)(28 + len));
	p[8] = 64;
	p[9] = IP_PROTO_UDP;
	memcpy(p + 12, src->ip, 4);
	memcpy(p + 16, dst->ip, 4);
	put_be16(p + 20, src->port);
	put_be16(p + 22, dst->port);
	put_be16(p + 24, (uint16_t)(8 + len));
	memcpy(p + 28, payload, len);
	pipeline_take(l->p, &f);
	draw(l);
}

static void say(struct line *l, bool from_alice, const char *start, const char *cseq, const char *sdp)
{
	struct addr alice = at_addr("192.0.2.1:5060"), bob = at_addr("192.0.2.2:5060");
	struct buf text = { 0 };
	bool request = start[0] > '9';

	buf_printf(&text,
		"%s%s%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%s\r\nFrom: <" A ">;tag=a\r\nTo: <" B
		">%s\r\nCall-ID: one\r\nCSeq: %s\r\n",
		request ? "" : "SIP/2.0 ", start, request ? " SIP/2.0" : "", cseq,
		strcmp(start, "INVITE " B) == 0 ? "" : ";tag=b", cseq);
	if (sdp != NULL)
		buf_printf(&text, "Content-Type: application/sdp\r\n");
	buf_printf(&text, "Content-Length: %zu\r\n\r\n%s", sdp != NULL ? strlen(sdp) : 0, sdp != NULL ? sdp : "");
	send(l, from_alice ? &alice : &bob, from_alice ? &bob : &alice, text.at, text.len);
	buf_clear(&text);
	l->now += 10 * MS;
}

static const char *sdp_of(char out[512], const char *ip, const char *lines)
{
	snprintf(out, 512, "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\n%s",
		ip, ip, lines);
	return out;
}

static void open_line(struct line *l, const struct pipeline_options *o)
{
	struct target target = { .uri = (char *)B };
	struct warrant w = {
		.number = 1,
		.targets = &target,
		.target_count = 1,
		.until = NSEC_EVER,
		.scope = SCOPE_ALL,
		.agency = (char *)"agency",
		.authority = (char *)"order",
	};
	struct warrant_set set = { &w, 1 };

	memset(l, 0, sizeof(*l));
	identity_parse(bytes_of(B), &target.id);
	l->p = pipeline_new(o);
	l->now = SCENE_T0;
	l->key = scene_key(AES_CM_128_HMAC_SHA1_80, 7);
	l->voice = scene_alice(1, 100);
	l->voice.src.port = l->voice.dst.port = 4000;
	assert_non_null(l->p);
	assert_true(pipeline_targets(l->p, &set));
}

static void set_up(struct line *l, const char *offered, const char *answered)
{
	char sdp[512];

	say(l, true, "INVITE " B, "1 INVITE", sdp_of(sdp, "192.0.2.1", offered));
	say(l, false, "200 OK", "1 INVITE", sdp_of(sdp, "192.0.2.2", answered));
	say(l, true, "ACK " B, "1 ACK", NULL);
}

static void hang_up(struct line *l)
{
	say(l, true, "BYE " B, "2 BYE", NULL);
	say(l, false, "200 OK", "2 BYE", NULL);
}

/* Alice speaks, 20 ms a packet. */
static void speak(struct line *l, int ms)
{
	uint8_t rtp[512], srtp[600];

	for (int t = 0; t < ms; t += 20) {
		uint64_t index = l->voice.index;
		size_t len = voice_speak(&l->voice, rtp);

		len = sender_rtp(&l->key, index, (struct bytes){ rtp, len }, srtp);
		send(l, &l->voice.src, &l->voice.dst, srtp, len);
		l->now += 20 * MS;
		l->sent++;
	}
}

static void wait(struct line *l, int ms)
{
	for (int t = 0; t < ms; t += 100) {
		l->now += 100 * MS;
		pipeline_time(l->p, l->now);
		draw(l);
	}
}

static void answer(struct line *l, enum seal_reason reason)
{
	struct key_answer a = {
		.number = l->wanted, .call = 1, .reason = reason, .request = "0123456789abcdef0123456789abcdef"
	};

	assert_int_not_equal(l->wanted, 0);
	if (reason == SEAL_NONE) {
		a.key_count = 1;
		a.keys[0] = (struct key_given){ .line = UINT32_MAX, .key = l->key };
	}
	pipeline_answer(l->p, &a);
	draw(l);
	key_answer_clear(&a);
}

static void close_line(struct line *l)
{
	pipeline_end(l->p);
	draw(l);
}

static size_t count(const struct line *l, enum media_fate fate, enum seal_reason reason)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += l->told[i].fate == fate && l->told[i].reason == reason;
	return n;
}

/* Every packet once, in the order it was sent, with the time it was sent at. */
static void assert_whole(const struct line *l)
{
	assert_int_equal(l->count, l->sent);
	for (size_t i = 0; i < l->count; i++) {
		assert_int_equal(l->told[i].index, 100 + i);
		assert_true(i == 0 || l->told[i].at > l->told[i - 1].at);
	}
}

static void assert_all_opened(const struct line *l)
{
	assert_whole(l);
	assert_int_equal(count(l, MEDIA_CLEAR, SEAL_NONE), l->sent);
	for (size_t i = 0; i < l->count; i++)
		assert_int_equal(l->told[i].source, KEY_KMS);
}

static const struct pipeline_options asking = { .kms = true };

static void the_key_at_once_opens_everything(void **state)
{
	struct line *l = *state;

	open_line(l, &asking);
	set_up(l, INIT, RESP);
	answer(l, SEAL_NONE);
	speak(l, 2000);
	hang_up(l);
	close_line(l);
	assert_all_opened(l);
	assert_int_equal(l->over, 1);
}

static void a_kms_slow_by_five_seconds_loses_nothing(void **state)
{
	struct line *l = *state;

	open_line(l, &asking);
	set_up(l, INIT, RESP);
	speak(l, 5000);
	assert_int_equal(l->count, 0);
	answer(l, SEAL_NONE);
	assert_int_equal(l->count, l->sent);
	speak(l, 5000);
	hang_up(l);
	close_line(l);
	assert_all_opened(l);
}

static void a_kms_down_for_thirty_seconds_opens_late_in_order_though_the_call_is_over(void **state)
{
	struct line *l = *state;

	open_line(l, &asking);
	set_up(l, INIT, RESP);
	speak(l, 10000);
	hang_up(l);
	wait(l, 50000);
	assert_int_equal(l->count, 0);
	assert_int_equal(l->over, 0);
	answer(l, SEAL_NONE);
	assert_all_opened(l);
	assert_int_equal(l->over, 1);
	close_line(l);
	assert_all_opened(l);
}

static void beyond_the_bound_packets_are_sealed_and_the_rest_opens(void **state)
{
	const struct pipeline_options small = { .kms = true, .hold_octets = 64 << 10 };
	struct line *l = *state;
	size_t sealed;

	open_line(l, &small);
	set_up(l, INIT, RESP);
	speak(l, 10000);
	sealed = l->count;
	assert_true(sealed > 0 && sealed < l->sent);
	answer(l, SEAL_NONE);
	speak(l, 1000);
	hang_up(l);
	close_line(l);
	assert_whole(l);
	assert_int_equal(count(l, MEDIA_SEALED, SEAL_KMS_UNREACHABLE), sealed);
	assert_int_equal(count(l, MEDIA_CLEAR, SEAL_NONE), l->sent - sealed);
}

static void beyond_the_time_too(void **state)
{
	const struct pipeline_options brief = { .kms = true, .hold_time = 2 * NSEC_PER_SEC };
	struct line *l = *state;
	size_t sealed;

	open_line(l, &brief);
	set_up(l, INIT, RESP);
	speak(l, 5000);
	sealed = l->count;
	assert_true(sealed >= 130 && sealed <= 150); /* those of the first three seconds */
	answer(l, SEAL_NONE);
	close_line(l);
	assert_whole(l);
	assert_int_equal(count(l, MEDIA_SEALED, SEAL_KMS_UNREACHABLE), sealed);
	assert_int_equal(count(l, MEDIA_CLEAR, SEAL_NONE), l->sent - sealed);
}

static void a_refusal_seals_what_waited_and_what_comes(void **state)
{
	static const enum seal_reason reasons[] = { SEAL_KMS_REFUSED, SEAL_KMS_NO_AGREEMENT, SEAL_KMS_UNKNOWN,
		SEAL_KMS_UNREACHABLE, SEAL_KEY_PURGED };

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct line *l = *state;

		open_line(l, &asking);
		set_up(l, INIT, RESP);
		speak(l, 1000);
		answer(l, reasons[i]);
		assert_int_equal(l->count, l->sent);
		speak(l, 1000);
		hang_up(l);
		close_line(l);
		assert_whole(l);
		assert_int_equal(count(l, MEDIA_SEALED, reasons[i]), l->sent);
		pipeline_free(l->p);
		l->p = NULL;
	}
}

static void who_is_never_answered_is_sealed_as_unreachable(void **state)
{
	struct line *l = *state;

	open_line(l, &asking);
	set_up(l, INIT, RESP);
	speak(l, 1000);
	hang_up(l);
	close_line(l);
	assert_whole(l);
	assert_int_equal(count(l, MEDIA_SEALED, SEAL_KMS_UNREACHABLE), l->sent);
	assert_int_equal(l->over, 1);
}

static void without_a_kms_nobody_is_asked_and_there_is_no_key(void **state)
{
	struct line *l = *state;

	open_line(l, NULL);
	set_up(l, INIT, RESP);
	speak(l, 1000);
	hang_up(l);
	close_line(l);
	assert_int_equal(l->wanted, 0);
	assert_int_equal(l->over, 0);
	assert_int_equal(count(l, MEDIA_SEALED, SEAL_NO_KEY), l->sent);
}

static void a_forged_key_in_signalling_changes_nothing(void **state)
{
	struct line *l = *state;

	open_line(l, &asking);
	set_up(l, INIT FORGED, RESP FORGED);
	speak(l, 1000);
	answer(l, SEAL_NONE);
	speak(l, 1000);
	hang_up(l);
	close_line(l);
	assert_all_opened(l);
}

static int new_line(void **state)
{
	*state = calloc(1, sizeof(struct line));
	return *state == NULL;
}

static int free_line(void **state)
{
	pipeline_free(((struct line *)*state)->p);
	free(*state);
	return 0;
}

#define LINE(f) cmocka_unit_test_setup_teardown(f, new_line, free_line)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINE(the_key_at_once_opens_everything),
		LINE(a_kms_slow_by_five_seconds_loses_nothing),
		LINE(a_kms_down_for_thirty_seconds_opens_late_in_order_though_the_call_is_over),
		LINE(beyond_the_bound_packets_are_sealed_and_the_rest_opens),
		LINE(beyond_the_time_too),
		LINE(a_refusal_seals_what_waited_and_what_comes),
		LINE(who_is_never_answered_is_sealed_as_unreachable),
		LINE(without_a_kms_nobody_is_asked_and_there_is_no_key),
		LINE(a_forged_key_in_signalling_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
